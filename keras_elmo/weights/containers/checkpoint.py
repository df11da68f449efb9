"""Checkpoints of TensorFlow 1: `PREFIX.index` and `PREFIX.data-00000-of-00001`.

Two readers share the work. This module reads the index first, because
`tf.train.load_checkpoint` ends the whole process when an index is well-formed but its
content is impossible, with negative sizes for example (TensorFlow 2.18 and 2.21).
TensorFlow then reads the tensors, because it checks the CRC-32C of each.

Reference: TensorFlow, `core/util/tensor_bundle/tensor_bundle.h` and
`core/protobuf/tensor_bundle.proto`; LevelDB, `doc/table_format.md`.
"""

import functools
import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import tensor_bundle_pb2

from keras_elmo.weights.mapping import LazyArray

_INDEX = ".index"
_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
MAX_AXES = 8
MAX_FILES = 10_000
MAX_NUMBERS = 2**40
MAX_TENSORS = 100_000
MAX_NAME_BYTES = 1000
# Tensors of other dtypes (counters of the optimizer) are listed, but never read.
FLOATS = frozenset({tf.float16, tf.float32, tf.float64, tf.bfloat16})


class IndexEntry(NamedTuple):
    """What an index says of a tensor."""

    dtype: tf.DType
    shape: tuple[int, ...]


def find_prefix(path: Path) -> Path | None:
    """What a checkpoint's files begin with: named by it, or the newest of a folder."""
    if path.name and path.with_name(path.name + _INDEX).is_file():
        return path
    if path.suffix == _INDEX and path.is_file():
        return path.with_suffix("")
    if not path.is_dir():
        return None
    found = [index for index in path.glob("*" + _INDEX) if index.is_file()]
    if len(found) == 1:
        return found[0].with_suffix("")
    try:
        state = tf.train.get_checkpoint_state(os.fspath(path))
    except (ValueError, tf.errors.OpError):  # its own file of names is broken
        return None
    # Only the file's name counts: the recorded folder is stale after a move, and may
    # point anywhere.
    name = Path(state.model_checkpoint_path).name if state else ""
    return path / name if name and path / (name + _INDEX) in found else None


def read_arrays(prefix: Path) -> dict[str, LazyArray]:
    """Every tensor of a checkpoint by its name, yet to be read.

    Raises:
        ValueError: if the checkpoint is broken or cut short.
    """
    entries = read_index(prefix)
    try:
        reader = tf.train.load_checkpoint(os.fspath(prefix))
    except (ValueError, IndexError, tf.errors.OpError) as error:
        raise _broken(prefix, error) from error

    @functools.lru_cache(maxsize=1)  # a tensor that is split is read once
    def read(name: str) -> np.ndarray:
        if entries[name].dtype not in FLOATS:
            raise ValueError(
                "A checkpoint should hold floating-point weights. Received: "
                f"{os.fspath(prefix)!r} with {name} {entries[name].shape} of dtype "
                f"{entries[name].dtype.name}. Write it anew, as one of {_names(FLOATS)}"
            )
        try:
            array = reader.get_tensor(name)
        except (ValueError, IndexError, TypeError, tf.errors.OpError) as error:
            raise _broken(prefix, error, name) from error
        # NumPy itself has no bfloat16.
        return array if array.dtype.kind == "f" else array.astype("float32")

    return {
        name: LazyArray(
            entry.shape,
            lambda rows, name=name: read(name)[rows],  # type: ignore[misc]
        )
        for name, entry in entries.items()
    }


def read_index(prefix: Path) -> dict[str, IndexEntry]:
    """What is in a checkpoint, if all of it can be there.

    Raises:
        ValueError: if it is no index of a checkpoint, or if the files beside it are
            shorter than it says.
    """
    path = prefix.with_name(prefix.name + _INDEX)
    try:
        items = dict(_items(path.read_bytes()))
        header = _parse(tensor_bundle_pb2.BundleHeaderProto, items.pop(b"", b""))
        shards = _shard_sizes(prefix, header.num_shards)
        return {
            name.decode("utf-8"): _entry(name, content, shards)
            for name, content in items.items()
        }
    except (ValueError, IndexError, struct.error, DecodeError, TypeError) as error:
        raise ValueError(
            "A checkpoint should be complete, as TensorFlow wrote it. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). Compare the "
            "sizes of its files with the original's and fetch them again."
        ) from error


def write_arrays(prefix: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes a checkpoint that TensorFlow 1 reads too."""
    names = list(arrays)
    tf.raw_ops.SaveV2(
        prefix=os.fspath(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[arrays[name] for name in names],
    )


def _names(dtypes: Iterable[tf.DType]) -> list[str]:
    return sorted(dtype.name for dtype in dtypes)


def _broken(prefix: Path, error: Exception, name: str = "") -> ValueError:
    place = f"{os.fspath(prefix)!r}" + (f", tensor {name}" if name else "")
    return ValueError(
        f"A checkpoint should be complete. Received: {place}, which could not be read "
        f"({error}). Compare the sizes of its files with the original's and fetch them "
        "again."
    )


def _entry(name: bytes, content: bytes, shards: list[int]) -> IndexEntry:
    entry = _parse(tensor_bundle_pb2.BundleEntryProto, content)
    dtype = tf.as_dtype(entry.dtype)
    shape = tuple(axis.size for axis in entry.shape.dim)
    if (
        entry.shape.unknown_rank
        or len(shape) > MAX_AXES
        or any(size < 0 for size in shape)
        # TensorFlow multiplies them one by one, also where the last of them is 0.
        or math.prod(max(size, 1) for size in shape) > MAX_NUMBERS
        or len(entry.slices)
    ):
        raise ValueError(f"{name!r} has the shape {shape}")
    if dtype not in FLOATS:
        return IndexEntry(dtype, shape)
    size = math.prod(shape) * dtype.size
    if (
        entry.size != size
        or not 0 <= entry.shard_id < len(shards)
        or entry.offset < 0
        or entry.offset + size > shards[entry.shard_id]
    ):
        raise ValueError(
            f"{name!r} of shape {shape} should take {size:,} bytes, which are not there"
        )
    return IndexEntry(dtype, shape)


def _shard_sizes(prefix: Path, count: int) -> list[int]:
    if not 1 <= count <= MAX_FILES:
        raise ValueError(f"{count} files of data")
    names = [
        prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{count:05}")
        for shard in range(count)
    ]
    missing = [name.name for name in names if not name.is_file()]
    if missing:
        raise ValueError(f"no {missing} beside it")
    return [name.stat().st_size for name in names]


def _parse(kind: Any, content: bytes) -> Any:
    message = kind()
    message.ParseFromString(content)
    return message


def _items(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order."""
    footer = table[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("it does not end as an index does")
    _, position = _handle(footer, 0)  # of a block of no interest
    index, _ = _handle(footer, position)
    seen: set[bytes] = set()
    for _, content in _block(table, index):
        for key, value in _block(table, _handle(content, 0)[0]):
            if key in seen or len(seen) >= MAX_TENSORS:
                raise ValueError(f"{key!r} is there twice, or one too many")
            seen.add(key)
            yield key, value


def _block(table: bytes, handle: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    """A block's keys, each of which begins as the one before it, and values."""
    start, size = handle
    content = table[start : start + size]
    if len(content) < size or table[start + size] != 0:
        raise ValueError("a part of it is missing or compressed")
    (restarts,) = struct.unpack("<I", content[-4:])
    end = len(content) - 4 * (1 + restarts)
    if end < 0:
        raise ValueError("a part of it is missing")
    starts = {0}
    position, key = 0, b""
    while position < end:
        start = position
        shared, position = _varint(content, position)
        unshared, position = _varint(content, position)
        length, position = _varint(content, position)
        if shared > len(key) or shared + unshared > MAX_NAME_BYTES:
            raise ValueError("a name in it is too long")
        if shared == 0:
            starts.add(start)
        key = key[:shared] + content[position : position + unshared]
        position += unshared
        yield key, content[position : position + length]
        position += length
    # TensorFlow searches from these places, and must find what is found here.
    if position > end or not starts.issuperset(
        struct.unpack(f"<{restarts}I", content[end:-4])
    ):
        raise ValueError("its parts overlap")


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    """Where a block is: its start and size; and the position after that."""
    start, position = _varint(content, position)
    size, position = _varint(content, position)
    return (start, size), position


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte; and the position after it."""
    value = 0
    for shift in range(0, 64, 7):
        byte = content[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("a number in it has no end")
