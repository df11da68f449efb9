"""HDF5 files that are written one dataset after the other, to a disk of any size."""

import contextlib
import hashlib
import io
import math
import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

_BYTES_AT_ONCE = 2**26


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
    for place in places(array.shape, array.itemsize):
        part = np.ascontiguousarray(array[place])
        digest.update(part.data)
        dataset[place] = part


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
