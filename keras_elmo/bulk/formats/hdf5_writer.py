"""Writes datasets of HDF5 one after the other."""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

_BYTES_AT_ONCE = 2**26


class Hdf5Writer:
    """A new HDF5 file, open in a `with` block.

    Args:
        path: The file to write.

    Raises:
        OSError: if the disk is full.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "vectors.hdf5"
    >>> with Hdf5Writer(path) as writer:
    ...     writer.write("0", np.ones((2, 3), "float32"))
    >>> with h5py.File(path, "r") as file:
    ...     file["0"].shape
    (2, 3)
    """

    def __init__(self, path: Path):
        self._raw = io.FileIO(path, "w+")
        self._disk = _Disk(self._raw)
        self._file = h5py.File(self._disk, "w")

    def __enter__(self) -> "Hdf5Writer":
        return self

    def __exit__(self, exception_type: Any, *exception: object) -> None:
        try:
            self._file.close()
            if exception_type is None:
                self.check()
        finally:
            self._raw.close()

    def write(self, key: str, vectors: np.ndarray, digest: Any = None) -> None:
        """Writes an array, which need not fit into memory.

        Args:
            key: The name of its dataset.
            vectors: Any array, such as one that is mapped from a file.
            digest: Is updated with the bytes of the array. Defaults to None.
        """
        is_small = vectors.nbytes <= _BYTES_AT_ONCE
        if is_small:
            vectors = np.ascontiguousarray(vectors)
            dataset = self._file.create_dataset(key, data=vectors)
        else:
            dataset = self.create(key, vectors.shape, vectors.dtype)
        for place in places(vectors.shape, vectors.itemsize):
            part = np.ascontiguousarray(vectors[place])
            if digest is not None:
                digest.update(part.data)
            if not is_small:
                dataset[place] = part
        self.check()

    def create(self, key: str, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
        """An empty dataset, whose parts are to be assigned; `check` follows these."""
        return self._file.create_dataset(key, shape, dtype)

    def write_text(self, key: str, text: str) -> None:
        """Writes a string, as the only one in its dataset."""
        dataset = self._file.create_dataset(key, (1,), h5py.string_dtype())
        dataset[0] = text
        self.check()

    def check(self) -> None:
        """Raises what went wrong on the disk since.

        Raises:
            OSError: if the disk is full.
        """
        self._disk.check()


def places(shape: tuple[int, ...], itemsize: int) -> Iterator[Any]:
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
        # Reading needs no space on the disk, so its errors need not be held back.
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
        # HDF5 would lose any exception that passes through it, that of Ctrl-C too.
        except BaseException as error:
            self._error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size)
        except BaseException as error:  # as in `write`
            self._error = error
            return size or 0
