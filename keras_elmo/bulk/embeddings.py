"""What `embed_corpus` wrote, as a sequence that reads on demand."""

import bisect
import functools
from collections.abc import Sequence
from typing import Any, Protocol, overload

import numpy as np

from keras_elmo.bulk.formats import FORMATS, ShardReader, array_dtype
from keras_elmo.bulk.formats.hdf5 import Hdf5File
from keras_elmo.bulk.manifest import Manifest
from keras_elmo.bulk.output import Output
from keras_elmo.files.paths import as_path, reaching

# Each keeps files open, and memory in the case of Parquet.
_OPEN_SHARDS = 8


class _Lines(Protocol):
    """All lines of an output."""

    def __len__(self) -> int: ...
    def vectors(self, line: int) -> np.ndarray: ...
    def tokens(self, line: int) -> list[str]: ...
    def close(self) -> None: ...


class Embeddings(Sequence[np.ndarray]):
    """The vectors of every sentence of a corpus, read when they are asked for.

    `embeddings[i]` is the array of line `i` of the text, `(layers, tokens, dim)`,
    `(tokens, dim)` or `(dim,)`; a slice is another such sequence, which reads as
    little. Arrays of the format npy are memory maps, for reading only, unless their
    dtype on disk is int16: what is read is float32 then.

    `keras_elmo.bulk.open` makes one. It is a context manager, which closes the files.

    Attributes:
        path: The output.
        shape: Shape of a sentence's array, with None for the number of tokens; or None
            if there is no sentence to tell it.
        dtype: dtype of the arrays; or None likewise.
    """

    def __init__(
        self,
        path: Any,
        lines: _Lines,
        shape: tuple[int | None, ...] | None,
        dtype: np.dtype | None,
        numbers: range | None = None,
    ):
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self._lines = lines
        self._numbers = range(len(lines)) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "Embeddings": ...
    def __getitem__(self, index: Any) -> Any:
        numbers = self._numbers[index]
        if isinstance(numbers, range):
            return Embeddings(self.path, self._lines, self.shape, self.dtype, numbers)
        return self._lines.vectors(numbers)

    def tokens(self, index: int) -> list[str]:
        """The tokens of a sentence, to go with its vectors.

        Bytes that are no UTF-8 are written as `\\x..`.

        Raises:
            ValueError: if the format does not store them, as HDF5 doesn't.
        """
        return self._lines.tokens(self._numbers[index])

    def close(self) -> None:
        """Closes the files; arrays that were read stay."""
        self._lines.close()

    def __enter__(self) -> "Embeddings":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Embeddings of {len(self):,} sentences, {self.shape} {self.dtype}, in "
            f"'{self.path}'>"
        )


def open_embeddings(path: Any) -> Embeddings:
    """Opens what `keras-elmo embed` or `embed_corpus` wrote, of any format.

    Also HDF5 files of `allennlp elmo`, unless sentences are their keys.

    Args:
        path: The file or folder, or the address of a folder.

    Returns:
        An `Embeddings`.

    Raises:
        FileNotFoundError: if there is no such thing.
        OSError: if an address can't be reached.
        ValueError: if it is damaged, or not complete.

    Example:

    >>> import keras_elmo.bulk
    >>> with keras_elmo.bulk.open("vectors.hdf5") as vectors:  # doctest: +SKIP
    ...     vectors[0].shape
    (3, 5, 256)
    """
    with reaching(path):
        return _open(as_path(path))


def _open(path: Any) -> Embeddings:
    output = Output.at(path)
    if output.plan_path.is_file():
        raise ValueError(
            f"'{path}' should be complete. Received: an output that is "
            "still written, or was interrupted. Go on with it by `--resume`"
        )
    if path.is_dir():
        if not output.manifest_path.is_file():
            raise ValueError(
                f"'{path}' should be an output of `keras-elmo embed`. "
                f"Received: a folder without {output.manifest_path.name}"
            )
        shards = _Shards(path, Manifest.read(output.manifest_path))
        return Embeddings(path, shards, shards.shape, shards.dtype)
    if not path.is_file():
        raise FileNotFoundError(2, "No such file or folder of vectors", str(path))
    file = Hdf5File(path)
    return Embeddings(path, file, file.shape, file.dtype)


class _Shards:
    """The lines of a folder of shards."""

    def __init__(self, path: Any, manifest: Manifest):
        name = manifest.run["format"]
        if FORMATS[name].assemble is not None:
            raise ValueError(
                f"'{path}' should be a folder of shards. Received: the "
                f"manifest of the format {name!r}. Embed anew"
            )
        FORMATS[name].require()
        self._output = Output(path, name)
        self._manifest = manifest
        self._first_lines = [shard.first_line for shard in manifest.shards]
        self._open = functools.lru_cache(_OPEN_SHARDS)(self._open_shard)
        self._is_closed = False
        *layers, dim = manifest.row_shape
        is_by_token = manifest.run["layers"] != "default"
        self.shape = (*layers, None, dim) if is_by_token else (dim,)
        self.dtype = np.dtype(array_dtype(manifest.run["dtype"]))

    def __len__(self) -> int:
        return self._manifest.lines

    def vectors(self, line: int) -> np.ndarray:
        number, index = self._find(line)
        layout = self._manifest.layout(number)
        return layout.array(self._open(number).vectors(index))

    def tokens(self, line: int) -> list[str]:
        number, index = self._find(line)
        return self._open(number).tokens(index)

    def close(self) -> None:
        self._open.cache_clear()
        self._is_closed = True

    def _find(self, line: int) -> tuple[int, int]:
        if self._is_closed:
            raise ValueError(
                f"Embeddings should be open to be read. Received: those of "
                f"'{self._output.path}', which were closed. Open them again"
            )
        number = bisect.bisect_right(self._first_lines, line) - 1
        return number, line - self._first_lines[number]

    def _open_shard(self, number: int) -> ShardReader:
        return self._output.open(number, self._manifest.layout(number))
