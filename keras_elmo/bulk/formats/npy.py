"""NumPy's own files: a flat array of all vectors, and where each sentence begins.

A shard is a folder of `vectors.npy`, `(rows, dim)` or `(rows, layers, dim)`, for the
dtype int16 without `dim`, which is then in the dtype (see `scaled_int16.stored_dtype`);
`offsets.npy`, int64 `(lines + 1,)`, the first row of each line; and `tokens.txt`, the
tokens of each line as they are, with a space between them.
"""

import functools
import io
import math
import mmap
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_elmo.bulk.formats import scaled_int16
from keras_elmo.bulk.formats.shard import Layout, Sentence, damaged
from keras_elmo.text.sentences import as_text

_VECTORS, _OFFSETS, _TOKENS = "vectors.npy", "offsets.npy", "tokens.txt"


def files(path: Path) -> list[Path]:
    """The files that a shard consists of."""
    return [path / name for name in (_VECTORS, _OFFSETS, _TOKENS)]


def write(path: Path, layout: Layout, sentences: Iterable[Sentence]) -> None:
    """Writes a shard, sentence by sentence."""
    path.mkdir()
    offsets = [0]
    # No memory map is written to: a full disk would end the process there.
    with (path / _VECTORS).open("wb") as vectors, (path / _TOKENS).open("wb") as text:
        vectors.write(_header(_shape(layout, layout.rows), layout.stored_dtype))
        for tokens, blocks in sentences:
            rows = 0
            for block in blocks:
                stored = scaled_int16.to_stored(block) if layout.is_scaled else block
                vectors.write(stored.data)
                rows += len(block)
            offsets.append(offsets[-1] + rows)
            text.write(b" ".join(tokens) + b"\n")
    if (len(offsets) - 1, offsets[-1]) != (layout.lines, layout.rows):
        raise RuntimeError(f"{len(offsets) - 1} lines of {offsets[-1]} rows: {layout}")
    np.save(path / _OFFSETS, np.array(offsets, np.int64))


class NpyShard:
    """Reads a shard by memory maps, one a sentence: each goes with its array."""

    def __init__(self, path: Path, layout: Layout):
        self._path = path
        self._layout = layout
        self._start = _check(
            path / _VECTORS, _shape(layout, layout.rows), layout.stored_dtype
        )
        start = _check(path / _OFFSETS, (layout.lines + 1,), np.dtype("int64"))
        self._offsets = np.fromfile(path / _OFFSETS, np.int64, offset=start)

    def vectors(self, index: int) -> np.ndarray:
        """See `ShardReader`; but of int16, it is a memory map, for reading only."""
        first, stop = self._offsets[index : index + 2].tolist()
        if not 0 <= first <= stop <= self._layout.rows:
            raise damaged(self._path / _OFFSETS, f"line {index} at {first}..{stop}")
        stored = self._stored(first, stop)
        return scaled_int16.from_stored(stored) if self._layout.is_scaled else stored

    def tokens(self, index: int) -> list[str]:
        return as_text(self._lines[index]).split(" ") if self._lines[index] else []

    def _stored(self, first: int, stop: int) -> np.ndarray:
        """Some rows as they are in the file, mapped."""
        shape, dtype = _shape(self._layout, stop - first), self._layout.stored_dtype
        if first == stop:  # what has no bytes can't be mapped
            return np.zeros(shape, dtype)
        size = self._layout.row_bytes
        try:
            rows = _map(
                self._path / _VECTORS, self._start + first * size, (stop - first) * size
            )
        except ValueError as error:  # it was cut meanwhile
            raise damaged(self._path / _VECTORS, error) from error
        return np.frombuffer(rows, dtype).reshape(shape)

    @functools.cached_property
    def _lines(self) -> list[bytes]:
        lines = (self._path / _TOKENS).read_bytes().split(b"\n")
        if len(lines) != self._layout.lines + 1:
            raise damaged(self._path / _TOKENS, f"{len(lines) - 1} lines")
        return lines


def _shape(layout: Layout, rows: int) -> tuple[int, ...]:
    return rows, *layout.stored_row_shape


def _check(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Where the array of a file begins, which has to be of this shape and dtype."""
    # The one header that is right is known, so that none has to be understood.
    header = _header(shape, dtype)
    size = len(header) + math.prod(shape) * dtype.itemsize
    with path.open("rb") as file:
        if path.stat().st_size != size or file.read(len(header)) != header:
            raise damaged(path, f"it is no {dtype} {shape}")
    return len(header)


def _map(path: Path, start: int, size: int) -> memoryview:
    """Some bytes of a file; `np.memmap` takes three times as long."""
    before = start % mmap.ALLOCATIONGRANULARITY
    with path.open("rb") as file:
        descriptor, offset = file.fileno(), start - before
        mapped = mmap.mmap(
            descriptor, before + size, access=mmap.ACCESS_READ, offset=offset
        )
    return memoryview(mapped)[before:]


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """How the .npy file of an array begins."""
    content = io.BytesIO()
    description = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": description, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue()
