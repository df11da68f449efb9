"""HDF5 files of floating-point tensors, read with care."""

import contextlib
import functools
import io
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import EllipsisType

import h5py
import numpy as np

from keras_elmo.files.atomic import replacing
from keras_elmo.weights.mapping import LazyArray

# What h5py raises when it reads a broken file.
_ERRORS = (OSError, RuntimeError, LookupError, ArithmeticError, TypeError, ValueError)
_FLOAT_SIZES = (2, 4, 8)  # bytes
MAX_DEPTH = 100  # groups
# Smaller tensors are read without memory of their own.
MMAP_BYTES = 2**20


def read_arrays(path: str | os.PathLike) -> dict[str, LazyArray]:
    """Every tensor of an HDF5 file by its full name, yet to be read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not HDF5, is cut short, or holds anything but
            floating-point tensors of its own.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            "`weights` should be the path of an HDF5 file. Received: "
            f"weights={os.fspath(path)!r}, which is no file"
        )
    arrays: dict[str, LazyArray] = {}

    def find(name: str | bytes, item: h5py.Group | h5py.Dataset) -> str | None:
        if not isinstance(name, str) or name.count("/") > MAX_DEPTH:
            return f"{name[:100]!r}, which is no name of a tensor"
        if not isinstance(item, h5py.Dataset):
            return None
        arrays[name] = LazyArray(item.shape, functools.partial(_read_rows, path, name))
        problem = find_problem(item)
        return problem and f"{name}, which {problem}"

    with _opened(path) as file:
        # `visititems` follows no links, so that a weight file opens no other. It stops
        # at the first problem.
        problem = file.visititems(find)
    if problem:
        raise ValueError(
            "`weights` should hold floating-point tensors only, whole, and itself. "
            f"Received: {os.fspath(path)!r} with {problem}. Write it anew, or fetch it "
            "again."
        )
    return arrays


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes all tensors, or leaves `path` as it was."""
    # HDF5's library crashes when the disk is full, so it writes to memory first.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content.getbuffer())


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[h5py.File]:
    """An HDF5 file to read, whose many kinds of errors become one."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except _ERRORS as error:
        raise ValueError(
            "`weights` should be a complete HDF5 file. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). If it was "
            "downloaded, compare its size with the original's and fetch it again."
        ) from error


def _read_rows(
    path: str | os.PathLike, name: str, rows: slice | EllipsisType
) -> np.ndarray:
    with _opened(path) as file:
        dataset = file[name]
        if isinstance(rows, EllipsisType) or dataset.nbytes < MMAP_BYTES:
            return dataset[rows]
        # An anonymous mmap goes back to the system when it is freed; malloc would keep
        # about 100 MB of a large model.
        shape = (len(range(*rows.indices(len(dataset)))), *dataset.shape[1:])
        memory = mmap.mmap(-1, math.prod(shape) * dataset.dtype.itemsize)
        array = np.frombuffer(memory, dataset.dtype).reshape(shape)
        dataset.read_direct(array, rows)
        return array


def find_problem(dataset: h5py.Dataset) -> str | None:
    """Why this is no tensor of its file, if it is none."""
    dtype, shape = dataset.dtype, dataset.shape
    if dtype.kind != "f" or dtype.itemsize not in _FLOAT_SIZES or shape is None:
        return f"is of dtype {dtype}"
    if dataset.external or dataset.is_virtual:
        return "refers to another file"
    if dataset.chunks is not None and len(dataset.chunks) != len(shape):
        return f"of shape {shape} comes in parts of {len(dataset.chunks)} axes"
    # HDF5's library may crash, or take any memory, where a compressed part has another
    # size than it should.
    if dataset.id.get_create_plist().get_nfilters():
        return (
            "is compressed or otherwise filtered; `h5repack -f NONE in.hdf5 out.hdf5` "
            "undoes that"
        )
    if math.prod(shape) * dtype.itemsize > dataset.id.get_storage_size():
        return (
            f"is said to be {shape}, of which {dataset.id.get_storage_size():,} bytes "
            "are there"
        )
    return None
