"""NumPy's own files: a flat array of all vectors, and where each sentence begins.

A shard is a folder of `vectors.npy`, `(rows, dim)` or `(rows, layers, dim)`;
`offsets.npy`, int64 `(lines + 1,)`, the first row of each line; and `tokens.txt`, the
tokens of each line as they are, with a space between them.
"""

import functools
import io
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_elmo.bulk.formats.shard import Layout, Sentence, damaged
from keras_elmo.bulk.tokens import as_text

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
        vectors.write(_header((layout.rows, *layout.row_shape), layout.dtype))
        for tokens, blocks in sentences:
            rows = 0
            for block in blocks:
                vectors.write(block.data)
                rows += len(block)
            offsets.append(offsets[-1] + rows)
            text.write(b" ".join(tokens) + b"\n")
    if (len(offsets) - 1, offsets[-1]) != (layout.lines, layout.rows):
        raise RuntimeError(f"{len(offsets) - 1} lines of {offsets[-1]} rows: {layout}")
    np.save(path / _OFFSETS, np.array(offsets, np.int64))


class NpyShard:
    """Reads a shard by memory maps."""

    def __init__(self, path: Path, layout: Layout):
        self._path = path
        self._layout = layout
        shape = (layout.rows, *layout.row_shape)
        self._vectors = self._load(_VECTORS, shape, layout.dtype)
        self._offsets = self._load(_OFFSETS, (layout.lines + 1,), "int64")

    def vectors(self, index: int) -> np.ndarray:
        """See `ShardReader`; the array is a memory map, for reading only."""
        start, stop = self._offsets[index : index + 2].tolist()
        if not 0 <= start <= stop <= self._layout.rows:
            raise damaged(self._path / _OFFSETS, f"line {index} at {start}..{stop}")
        return np.asarray(self._vectors[start:stop])

    def tokens(self, index: int) -> list[str]:
        return as_text(self._lines[index]).split(" ") if self._lines[index] else []

    @functools.cached_property
    def _lines(self) -> list[bytes]:
        lines = (self._path / _TOKENS).read_bytes().split(b"\n")
        if len(lines) != self._layout.lines + 1:
            raise damaged(self._path / _TOKENS, f"{len(lines) - 1} lines")
        return lines

    def _load(self, name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        # The one header that is right is known, so that none has to be understood.
        path, header = self._path / name, _header(shape, dtype)
        size = len(header) + math.prod(shape) * np.dtype(dtype).itemsize
        with path.open("rb") as file:
            if path.stat().st_size != size or file.read(len(header)) != header:
                raise damaged(path, f"it is no {dtype} {shape}")
            if 0 in shape:  # what has no bytes can't be mapped
                return np.zeros(shape, dtype)
            return np.memmap(file, dtype, "r", len(header), shape)


def _header(shape: tuple[int, ...], dtype: str) -> bytes:
    """How the .npy file of an array begins."""
    content = io.BytesIO()
    description = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": description, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue()
