"""NumPy archives (`.npz`) of floating-point tensors, each read when it is needed.

NumPy has no bfloat16. The bit patterns of such a tensor are stored as integers of two
bytes, under a name that ends in `.bfloat16`.
"""

import contextlib
import functools
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import EllipsisType
from typing import IO

import numpy as np
from numpy.lib import format as npy

from keras_elmo.files.atomic import replacing
from keras_elmo.weights.mapping import LazyArray

# What zipfile, zlib and NumPy raise when they read a broken file.
ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_SUFFIX = ".npy"
_BFLOAT16 = ".bfloat16"
_FLOAT_SIZES = (2, 4, 8)  # bytes
# Deflate cannot compress better than 1032:1.
MAX_COMPRESSION = 1100
MAX_AXES = 8


def read_arrays(path: str | os.PathLike) -> dict[str, LazyArray]:
    """Every tensor of an `.npz` file by its name, yet to be read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no `.npz` file, is cut short, or holds anything but
            floating-point tensors.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            "`weights` should be the path of an .npz file. Received: "
            f"weights={os.fspath(path)!r}, which is no file"
        )
    arrays: dict[str, LazyArray] = {}
    with _opened(path) as archive:
        for member in archive.infolist():
            name, shape = _read_header(archive, member)
            if name in arrays:
                raise ValueError(f"{name!r} is there twice")
            read = functools.partial(_read_rows, path, member.filename)
            arrays[name] = LazyArray(shape, read)
    return arrays


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes all tensors, compressed, or leaves `path` as it was."""
    stored = {}
    for name, array in arrays.items():
        if array.dtype.name == "bfloat16":
            stored[name + _BFLOAT16] = array.view("uint16")
        else:
            stored[name] = array
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **stored)  # type: ignore[arg-type]


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[zipfile.ZipFile]:
    """An archive to read, whose many kinds of errors become one."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except ERRORS as error:
        raise ValueError(
            "`weights` should be a complete .npz file of floating-point tensors. "
            f"Received: {os.fspath(path)!r}, which could not be read ({error}). If it "
            "was downloaded, compare its size with the original's and fetch it again."
        ) from error


def _read_header(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> tuple[str, tuple[int, ...]]:
    """The name and shape of a tensor that can be there, by what the file says."""
    name = member.filename.removesuffix(_SUFFIX)
    if name == member.filename:
        raise ValueError(f"{name[:100]!r} is no name of a tensor")
    # LZMA and bzip2 have no bound to what a few bytes become.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed by other means than deflate")
    with archive.open(member) as file:
        shape, dtype = _shape_and_dtype(file)
        header = file.tell()
    is_bfloat16 = name.endswith(_BFLOAT16) and dtype == np.uint16
    if not is_bfloat16 and (dtype.kind != "f" or dtype.itemsize not in _FLOAT_SIZES):
        raise ValueError(f"{name} is of dtype {dtype}")
    if len(shape) > MAX_AXES or any(size < 0 for size in shape):
        raise ValueError(f"{name} has the shape {shape}")
    size = header + math.prod(shape) * dtype.itemsize
    if member.file_size != size or size > member.compress_size * MAX_COMPRESSION:
        raise ValueError(
            f"{name} of shape {shape} should take {size:,} bytes, of which "
            f"{member.compress_size:,} compressed bytes are there"
        )
    return (name.removesuffix(_BFLOAT16) if is_bfloat16 else name), shape


def _shape_and_dtype(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    # Headers of later versions may be 4 GB long; these have 64 kB at most.
    if npy.read_magic(file) != (1, 0):  # type: ignore[arg-type]
        raise ValueError("a tensor in it is not of version 1.0 of NumPy's format")
    shape, _, dtype = npy.read_array_header_1_0(file)  # type: ignore[arg-type]
    return shape, dtype


def _read_rows(
    path: str | os.PathLike, member: str, rows: slice | EllipsisType
) -> np.ndarray:
    with _opened(path) as archive, archive.open(member) as file:
        array = npy.read_array(file, allow_pickle=False)  # type: ignore[arg-type]
    if array.dtype.kind == "f":
        return array[rows]
    # The two upper bytes of a float32 are a bfloat16.
    return (array[rows].astype("uint32") << 16).view("float32")
