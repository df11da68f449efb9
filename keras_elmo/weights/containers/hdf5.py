"""HDF5 files of floating-point tensors, read with care."""

import contextlib
import functools
import io
import math
import mmap
import operator
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import EllipsisType
from typing import Any

import h5py
import numpy as np

from keras_elmo.files.atomic import replacing
from keras_elmo.weights.mapping import LazyArray

# What h5py and zlib raise of files that are broken.
_ERRORS = (
    OSError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    TypeError,
    ValueError,
    zlib.error,
)


MAX_DEPTH = 100


_FLOAT_SIZES = (2, 4, 8)


# Deflate can't do better.
MAX_COMPRESSION = 1100


MMAP_BYTES = 1 << 20  # bytes


# Plain or with gzip, as h5py and `h5repack` write it.
_FILTERS = (
    (),
    (h5py.h5z.FILTER_DEFLATE,),
    (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE),
)


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
        problem = _problem(item)
        return problem and f"{name}, which {problem}"

    with _opened(path) as file:
        # `visititems` follows no external links: a weight file opens no other. It
        # stops at the first problem.
        problem = file.visititems(find)
    if problem:
        raise ValueError(
            "`weights` should hold floating-point tensors only, whole, and itself. "
            f"Received: {os.fspath(path)!r} with {problem}. Write it anew, or fetch it "
            "again."
        )
    return arrays


def write_arrays(
    path: str | os.PathLike, arrays: Mapping[str, np.ndarray], **filters: Any
) -> None:
    """Writes all tensors, or leaves `path` as it was.

    Args:
        path: The file to write.
        arrays: The tensors by name.
        **filters: As of `h5py.Group.create_dataset`: `compression`, for one.
    """
    # In memory first: HDF5's library crashes when the disk is full.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **filters)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content.getbuffer())


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[h5py.File]:
    """An HDF5 file to read, whose many errors are one."""
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
        if _filters(dataset):
            return _decompressed(dataset)[rows]
        if isinstance(rows, EllipsisType) or dataset.nbytes < MMAP_BYTES:
            return dataset[rows]
        # Memory that is the system's again as soon as nobody has it any more. What
        # `malloc` is given back, it may keep: of a large model, 100 MB.
        shape = (len(range(*rows.indices(len(dataset)))), *dataset.shape[1:])
        memory = mmap.mmap(-1, math.prod(shape) * dataset.dtype.itemsize)
        array = np.frombuffer(memory, dataset.dtype).reshape(shape)
        dataset.read_direct(array, rows)
        return array


def _problem(dataset: h5py.Dataset) -> str | None:
    """Why this is no tensor of its file, if it is none."""
    dtype, shape = dataset.dtype, dataset.shape
    if dtype.kind != "f" or dtype.itemsize not in _FLOAT_SIZES or shape is None:
        return f"is of dtype {dtype}"
    if dataset.external or dataset.is_virtual:
        return "refers to another file"
    if _filters(dataset) not in _FILTERS:
        return "is compressed by other means than gzip"
    if _filters(dataset) and any(map(operator.gt, dataset.chunks, shape)):
        return f"of shape {shape} comes in larger parts, of {dataset.chunks}"
    stored = dataset.id.get_storage_size()
    if math.prod(shape) * dtype.itemsize > stored * MAX_COMPRESSION:
        return f"is said to be {shape}, of which {stored:,} bytes are there"
    return None


def _filters(dataset: h5py.Dataset) -> tuple[int, ...]:
    """What was done to a tensor's parts before they were written, by number."""
    properties = dataset.id.get_create_plist()
    return tuple(
        properties.get_filter(index)[0] for index in range(properties.get_nfilters())
    )


def _decompressed(dataset: h5py.Dataset) -> np.ndarray:
    """A compressed tensor.

    HDF5's own library reads what is not its own, and may end the process, where a
    part is shorter than it should be; where it is longer, it takes any memory (1.14).
    """
    size, filters = dataset.dtype.itemsize, _filters(dataset)
    expected = size * math.prod(dataset.chunks)
    array = np.empty(dataset.shape, dataset.dtype)
    for place in dataset.iter_chunks():
        start = tuple(axis.start for axis in place)
        unfiltered, content = dataset.id.read_direct_chunk(start)
        inflater = zlib.decompressobj()
        content = inflater.decompress(content, expected + 1)
        if unfiltered or len(content) != expected or not inflater.eof:
            raise ValueError(
                f"the part of {dataset.name} at {start} should have {expected:,} bytes "
                "when decompressed, and has not"
            )
        if h5py.h5z.FILTER_SHUFFLE in filters:
            # All first bytes of the numbers come first, then all second ones, ...
            bytewise = np.frombuffer(content, "uint8").reshape(size, -1)
            content = bytewise.T.tobytes()
        part = np.frombuffer(content, dataset.dtype).reshape(dataset.chunks)
        array[place] = part[tuple(slice(a.stop - a.start) for a in place)]
    return array
