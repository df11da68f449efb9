"""Files of `torch.save` with a dictionary of tensors, read without unpickling them.

Up to 1.5, PyTorch wrote five pickles one after the other (a magic number, the version,
facts about the machine, the dictionary, the names of its storages) and then the numbers
of each storage. Since 1.6 it writes a zip archive of one pickle and one file a storage.
"""

import contextlib
import functools
import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import EllipsisType
from typing import IO, Any

import numpy as np

from keras_elmo.weights.containers.tensor_pickle import (
    Storage,
    StoredTensor,
    read_value,
)
from keras_elmo.weights.mapping import LazyArray

# The pickle of a large model has some 10 kB: it holds no numbers.
MAX_PICKLE_BYTES = 2**20
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_PICKLE = "/data.pkl"
_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

# It reads so many numbers of a storage, from so many on, since a tensor may be a part.
_Read = Callable[[Storage, int, int], np.ndarray]


def read_arrays(path: str | os.PathLike) -> dict[str, LazyArray]:
    """Every tensor of a file by its name, yet to be read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is none of `torch.save`, is cut short, or holds anything but
            a dictionary of floating-point tensors; nothing of it is run.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            "A file of `torch.save` should be there. Received: "
            f"{os.fspath(path)!r}, which is no file"
        )
    with _naming_errors(path):
        is_zip = zipfile.is_zipfile(path)
        value, read = (_open_zip if is_zip else _open_legacy)(path)
        tensors = _check_tensors(value)
    return {
        name: LazyArray(tensor.shape, functools.partial(_read_rows, path, read, tensor))
        for name, tensor in tensors.items()
    }


@contextlib.contextmanager
def _naming_errors(path: str | os.PathLike) -> Iterator[None]:
    """Makes one of the many kinds of errors."""
    try:
        yield
    except _ERRORS as error:
        raise ValueError(
            "A file of `torch.save` should be complete, and hold a dictionary of "
            "floating-point tensors and nothing else. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). If it was "
            "downloaded, compare its size with the original's and fetch it again."
        ) from error


def _check_tensors(value: Any) -> dict[str, StoredTensor]:
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__} in place of a dictionary")
    for name, tensor in value.items():
        if not isinstance(tensor, StoredTensor):
            raise ValueError(
                f"{name[:100]!r} in it is a {type(tensor).__name__}, no tensor"
            )
    return value


def _read_rows(
    path: str | os.PathLike,
    read: _Read,
    tensor: StoredTensor,
    rows: slice | EllipsisType,
) -> np.ndarray:
    if isinstance(rows, EllipsisType) or not tensor.shape:
        rows = slice(None)
    length = tensor.shape[0] if tensor.shape else 1
    start, stop, step = rows.indices(length)
    if step != 1:
        raise ValueError(f"`rows` should follow each other. Received: rows={rows}")
    width = math.prod(tensor.shape[1:])
    count = max(stop - start, 0)
    with _naming_errors(path):
        numbers = read(tensor.storage, tensor.offset + start * width, count * width)
        if numbers.size != count * width:
            raise ValueError("it is cut short")
    return numbers.reshape((count, *tensor.shape[1:]) if tensor.shape else ())


def _open_legacy(path: str | os.PathLike) -> tuple[Any, _Read]:
    with open(path, "rb") as file:
        head = io.BytesIO(file.read(MAX_PICKLE_BYTES))
        end = file.seek(0, os.SEEK_END)
    if read_value(head) != _MAGIC:
        raise ValueError("it does not start as files of `torch.save` do")
    if read_value(head) != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    machine = read_value(head)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError("it was not written by a little-endian machine")
    value, keys = read_value(head), read_value(head)
    storages = {
        tensor.storage.key: tensor.storage for tensor in _check_tensors(value).values()
    }
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("it has no list of its storages")
    if sorted(keys) != sorted(storages):
        raise ValueError(
            f"it holds {len(keys)} storages, which are not the {len(storages)} that "
            "its tensors refer to"
        )
    places = _places(path, [storages[key] for key in keys], head.tell(), end)
    return value, functools.partial(_read_legacy, path, places)


def _places(
    path: str | os.PathLike, storages: list[Storage], start: int, end: int
) -> dict[str, int]:
    """Where the numbers of each storage start: after their count, in 8 bytes."""
    places = {}
    with open(path, "rb") as file:
        for storage in storages:
            file.seek(start)
            (count,) = struct.unpack("<q", file.read(8))
            if count != storage.size:
                raise ValueError(
                    f"a storage is said to have {storage.size:,} numbers, and then "
                    f"{count:,}"
                )
            places[storage.key] = start + 8
            start += 8 + count * storage.dtype.itemsize
            if start > end:
                raise ValueError("it is cut short")
    if start != end:
        raise ValueError(f"{end - start:,} bytes follow after its tensors")
    return places


def _read_legacy(
    path: str | os.PathLike,
    places: dict[str, int],
    storage: Storage,
    start: int,
    count: int,
) -> np.ndarray:
    offset = places[storage.key] + start * storage.dtype.itemsize
    return np.fromfile(path, storage.dtype, count, offset=offset)


def _open_zip(path: str | os.PathLike) -> tuple[Any, _Read]:
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        if any(
            member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()
        ):
            raise ValueError("it is compressed, which `torch.save` does not do")
        pickles = [name for name in sizes if name.endswith(_PICKLE)]
        if len(pickles) != 1:
            raise ValueError(f"it holds {len(pickles)} files named data.pkl, not one")
        folder = pickles[0].removesuffix(_PICKLE)
        order = f"{folder}/byteorder"
        if order in sizes and archive.open(order).read(9) != b"little":
            raise ValueError("it was not written by a little-endian machine")
        with archive.open(pickles[0]) as file:
            value = read_value(io.BytesIO(file.read(MAX_PICKLE_BYTES)))
    for tensor in _check_tensors(value).values():
        storage = tensor.storage
        size = sizes.get(f"{folder}/data/{storage.key}")
        if size != storage.size * storage.dtype.itemsize:
            raise ValueError(
                f"a storage of {storage.size:,} numbers has {size} bytes in the file"
            )
    return value, functools.partial(_read_zip, path, folder)


def _read_zip(
    path: str | os.PathLike, folder: str, storage: Storage, start: int, count: int
) -> np.ndarray:
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(f"{folder}/data/{storage.key}") as file,
    ):
        file.seek(start * storage.dtype.itemsize)
        content = _read_all(file, count * storage.dtype.itemsize)
    return np.frombuffer(content, storage.dtype)


def _read_all(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise ValueError("it is cut short")
    return content
