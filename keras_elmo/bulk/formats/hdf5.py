"""AllenNLP's layout: one HDF5 file with a dataset a line, named by its number.

A dataset is `(layers, tokens, dim)`, `(tokens, dim)` or `(dim,)`. `sentence_to_index`
holds JSON: of each line, without white space around it, the number as a string; of a
line that comes twice, the last.
Empty lines have datasets without tokens.
"""

import contextlib
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_elmo.bulk.formats.shard import Contents
from keras_elmo.text.sentences import as_text
from keras_elmo.weights.containers.hdf5 import find_problem

SENTENCE_TO_INDEX = "sentence_to_index"
_BYTES_AT_ONCE = 2**26


def assemble(path: Path, shards: Iterable[Contents]) -> list[str]:
    """Writes the file from shards.

    Args:
        path: The file to write.
        shards: What to write, in order.

    Returns:
        Of each shard, SHA-256 of its vectors as they lie in the datasets.

    Raises:
        OSError: if the disk is full.
    """
    hashes = []
    sentence_to_index: dict[str, str] = {}
    line = 0
    with writing(path) as file:
        for arrays, lines in shards:
            digest = hashlib.sha256()
            for index, text in enumerate(lines):
                file.write(str(line), arrays(index), digest)
                sentence_to_index[as_text(text).strip()] = str(line)
                line += 1
            hashes.append(digest.hexdigest())
        file.write_text(SENTENCE_TO_INDEX, json.dumps(sentence_to_index))
    return hashes


class Hdf5Writer:
    """An HDF5 file to which datasets are written one by one, see `writing`."""

    def __init__(self, file: h5py.File, disk: "_Disk"):
        self._file = file
        self._disk = disk

    def write(self, name: str, array: np.ndarray, digest: Any = None) -> None:
        """Writes an array of any size.

        Args:
            name: The name of its dataset.
            array: The array, which may lie on the disk.
            digest: A hash to update with its bytes. Defaults to None.

        Raises:
            OSError: if the disk is full.
        """
        _write_array(self._file, name, array, digest or hashlib.sha256())
        self._disk.check()

    def write_text(self, name: str, text: str) -> None:
        """Writes a string, as a dataset of shape `(1,)`."""
        self._file.create_dataset(name, (1,), h5py.string_dtype())[0] = text


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[Hdf5Writer]:
    """A new HDF5 file; where the disk gets full, that is an error and no crash.

    Raises:
        OSError: if the disk is full.
    """
    with io.FileIO(path, "w+") as raw:
        disk = _Disk(raw)
        with h5py.File(disk, "w") as file:
            yield Hdf5Writer(file, disk)
        disk.check()


def _write_array(file: h5py.File, key: str, array: np.ndarray, digest: Any) -> None:
    if array.nbytes <= _BYTES_AT_ONCE:
        array = np.ascontiguousarray(array)
        digest.update(array.data)
        file.create_dataset(key, data=array)
        return
    dataset = file.create_dataset(key, array.shape, array.dtype)
    for place in _places(array.shape, array.itemsize):
        part = np.ascontiguousarray(array[place])
        digest.update(part.data)
        dataset[place] = part


def _places(shape: tuple[int, ...], itemsize: int) -> Iterator[Any]:
    """Slices of an array, in the order of its bytes, that memory is sure to hold."""
    if math.prod(shape) * itemsize <= _BYTES_AT_ONCE:
        yield ...
        return
    step = max(1, _BYTES_AT_ONCE // (shape[-1] * itemsize))
    for leading in np.ndindex(shape[:-2]):
        for start in range(0, shape[-2], step):
            yield *leading, slice(start, start + step)


class _Disk:
    """A file for HDF5, which is not told when the disk is full: it would crash.

    Args:
        file: An unbuffered file.
    """

    def __init__(self, file: io.FileIO):
        self._file = file
        self._error: BaseException | None = None
        # These need no space on the disk, so their errors need not be held back.
        self.read, self.readinto = file.read, file.readinto
        self.seek, self.tell, self.flush = file.seek, file.tell, file.flush

    def check(self) -> None:
        """Raises what went wrong, once HDF5 is not at work."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:  # Ctrl-C too
            self._error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = error
            return size or 0


class Hdf5File:
    """Reads a file of this layout, also one that `allennlp elmo` wrote.

    Attributes:
        shape: Shape of a line's dataset, with None for the number of tokens; or None
            if there are no lines.
        dtype: dtype of the datasets; or None likewise.

    Raises:
        ValueError: if it is not such a file.
    """

    def __init__(self, path: Path):
        self._path = path
        with self._errors():
            self._file = h5py.File(path, "r")
            self._length = len(self._file) - (SENTENCE_TO_INDEX in self._file)
        self.shape: tuple[int | None, ...] | None = None
        self.dtype: np.dtype | None = None
        if self._length:
            first = self._dataset(0)
            *others, dim = first.shape
            self.shape = (*others[:-1], None, dim) if others else (dim,)
            self.dtype = first.dtype

    def __len__(self) -> int:
        return self._length

    def vectors(self, line: int) -> np.ndarray:
        dataset = self._dataset(line)
        with self._errors():
            return dataset[...]

    def tokens(self, line: int) -> list[str]:
        raise ValueError(
            "Tokens are stored by the formats parquet and npy. Received: "
            f"'{self._path}', of the format hdf5. Split line {line} of the text"
        )

    def close(self) -> None:
        self._file.close()

    def content_hash(self, first_line: int, lines: int) -> str:
        """SHA-256 of the vectors of some lines, as `assemble` computes it.

        Raises:
            ValueError: if one is missing, or can't be read.
        """
        digest = hashlib.sha256()
        for line in range(first_line, first_line + lines):
            dataset = self._dataset(line)
            with self._errors():
                for place in _places(dataset.shape, dataset.dtype.itemsize):
                    digest.update(np.ascontiguousarray(dataset[place]).data)
        return digest.hexdigest()

    def _dataset(self, line: int) -> h5py.Dataset:
        with self._errors():
            dataset = self._file[str(line)]
            if not isinstance(dataset, h5py.Dataset):
                raise ValueError(f"{line} is no dataset")
            if problem := find_problem(dataset):
                raise ValueError(f"the dataset {line} {problem}")
            if dataset.ndim not in (1, 2, 3):
                raise ValueError(f"the dataset {line} is of shape {dataset.shape}")
            return dataset

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns what h5py raises into an error that names the file."""
        try:
            yield
        except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(
                f"'{self._path}' should be an HDF5 file with a dataset a line, named "
                f"0, 1, 2 and so on. Received: one that can't be read ({error})"
            ) from error
