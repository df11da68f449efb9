"""AllenNLP's layout: one HDF5 file with a dataset a line, named by its number.

A dataset is `(layers, tokens, dim)`, `(tokens, dim)` or `(dim,)`. `sentence_to_index`
holds JSON: of each line, without white space around it, the number as a string; of a
line that comes twice, the last.
Empty lines have datasets without tokens.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np

from keras_elmo.bulk.formats.hdf5_writer import Hdf5Writer, places
from keras_elmo.bulk.formats.shard import Contents
from keras_elmo.text.sentences import as_text
from keras_elmo.weights.containers.hdf5 import find_problem

SENTENCE_TO_INDEX = "sentence_to_index"


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
    with Hdf5Writer(path) as writer:
        for arrays, lines in shards:
            digest = hashlib.sha256()
            for index, text in enumerate(lines):
                writer.write(str(line), arrays(index), digest)
                sentence_to_index[as_text(text).strip()] = str(line)
                line += 1
            hashes.append(digest.hexdigest())
        writer.write_text(SENTENCE_TO_INDEX, json.dumps(sentence_to_index))
    return hashes


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
                for place in places(dataset.shape, dataset.dtype.itemsize):
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
