"""Parquet: a row a line, for pandas, Polars, DuckDB, Spark and the like.

The columns are `line` (int64, its number in all of the text), `tokens` (list of
strings, with `\\x..` for bytes that are no UTF-8), and one a layer: a list of lists of
`dim` numbers, or with the layers `default` one list of `dim` numbers. A row, which is
all of a line, has to fit into memory to be written and read.
"""

import bisect
import contextlib
import functools
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from keras_elmo.bulk.formats.shard import Layout, Sentence, damaged
from keras_elmo.files.optional import import_optional
from keras_elmo.text.sentences import as_text

# To read one row is to read its group.
_BYTES_PER_GROUP = 2**22


def files(path: Path) -> list[Path]:
    """The files that a shard consists of."""
    return [path]


def write(path: Path, layout: Layout, sentences: Iterable[Sentence]) -> None:
    """Writes a shard, group of rows by group of rows."""
    pa, pq = import_pyarrow()
    options = {
        "compression": "none",  # of numbers like these, it saves next to nothing
        "use_dictionary": ["tokens.list.element"],
        "write_statistics": ["line"],
        "write_page_checksum": True,
    }
    schema = _schema(pa, layout)
    line = layout.first_line
    with pq.ParquetWriter(path, schema, **options) as writer:
        for group in _groups(path.parent, layout, sentences):
            columns = [
                pa.array(range(line, line + len(group.tokens)), pa.int64()),
                pa.array(group.tokens, schema.field("tokens").type),
                *(_lists(pa, layer, group.lengths, layout) for layer in group.layers),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            line += len(group.tokens)


class ParquetShard:
    """Reads a shard by groups of rows."""

    def __init__(self, path: Path, layout: Layout):
        self._path = path
        self._layout = layout
        if not path.is_file():
            raise FileNotFoundError(2, "No such shard", str(path))
        with self._errors():
            pa, pq = import_pyarrow()
            self._file = pq.ParquetFile(
                path, memory_map=True, page_checksum_verification=True
            )
            metadata = self._file.metadata
            if not self._file.schema_arrow.equals(_schema(pa, layout)):
                raise ValueError(f"another schema: {self._file.schema_arrow}")
            counts = [
                metadata.row_group(group).num_rows
                for group in range(metadata.num_row_groups)
            ]
            self._stops = list(itertools.accumulate(counts))
            if metadata.num_rows != layout.lines or sum(counts) != layout.lines:
                raise ValueError(f"{metadata.num_rows} rows, not {layout.lines}")
        # It does not know `self`, which would never be freed by itself.
        read_group = functools.partial(_read_group, self._file)
        self._group = functools.lru_cache(2)(read_group)

    def vectors(self, index: int) -> np.ndarray:
        group, row = self._find(index)
        with self._errors():
            layers = [
                self._rows(self._group(group)[name].chunk(0), row)
                for name in self._layout.columns
            ]
        return layers[0] if len(self._layout.row_shape) == 1 else np.stack(layers, 1)

    def tokens(self, index: int) -> list[str]:
        group, row = self._find(index)
        with self._errors():
            return self._group(group)["tokens"][row].as_py()

    def _find(self, index: int) -> tuple[int, int]:
        group = bisect.bisect_right(self._stops, index)
        return group, index - (self._stops[group - 1] if group else 0)

    def _rows(self, column: Any, row: int) -> np.ndarray:
        dim = self._layout.row_shape[-1]
        start, stop = row, row + 1
        if self._layout.is_by_token:
            offsets = column.offsets.to_numpy()
            start, stop = int(offsets[row]), int(offsets[row + 1])
            column = column.values
        values = column.values.to_numpy(zero_copy_only=True).reshape(-1, dim)
        return values[start:stop]

    def _errors(self) -> "_Errors":
        return _Errors(self._path)


class _Errors:
    """Turns what pyarrow raises into an error that names the file."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        caught = (ValueError, OSError, LookupError, TypeError, NotImplementedError)
        if isinstance(error, (*caught, AttributeError)):
            raise damaged(self._path, error) from error


class _Group(NamedTuple):
    """Some lines: tokens and number of rows of each, and all rows of each layer."""

    tokens: list[list[str]]
    lengths: list[int]
    layers: list[np.ndarray]


def _groups(
    folder: Path, layout: Layout, sentences: Iterable[Sentence]
) -> Iterator[_Group]:
    """The vectors wait in files: of one long line, memory may not hold them."""
    tokens: list[list[str]] = []
    lengths: list[int] = []
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(tempfile.TemporaryFile(dir=folder))
            for _ in layout.columns
        ]
        for sentence in sentences:
            tokens.append([as_text(token) for token in sentence.tokens])
            lengths.append(0)
            for block in sentence.blocks:
                layers = [block] if block.ndim == 2 else np.moveaxis(block, 1, 0)
                for file, layer in zip(files, layers, strict=True):
                    file.write(np.ascontiguousarray(layer).data)
                lengths[-1] += len(block)
            if files[0].tell() >= _BYTES_PER_GROUP:
                yield _Group(tokens, lengths, [_map(file, layout) for file in files])
                tokens, lengths = [], []
                for file in files:
                    file.seek(0)
                    file.truncate()
        if tokens:
            yield _Group(tokens, lengths, [_map(file, layout) for file in files])


def _map(file: IO[bytes], layout: Layout) -> np.ndarray:
    """What was written, `(rows, dim)`, as a memory map."""
    file.flush()
    dim = layout.row_shape[-1]
    if not file.tell():
        return np.zeros((0, dim), layout.dtype)
    return np.memmap(file, layout.dtype, "r").reshape(-1, dim)


def _schema(pa: Any, layout: Layout) -> Any:
    vector = pa.list_(pa.from_numpy_dtype(np.dtype(layout.dtype)), layout.row_shape[-1])
    layer = pa.list_(vector) if layout.is_by_token else vector
    fields = [pa.field("line", pa.int64()), pa.field("tokens", pa.list_(pa.string()))]
    return pa.schema(fields + [pa.field(name, layer) for name in layout.columns])


def _lists(pa: Any, layer: np.ndarray, lengths: list[int], layout: Layout) -> Any:
    flat = pa.array(layer.reshape(-1))
    vectors = pa.FixedSizeListArray.from_arrays(flat, layer.shape[-1])
    if not layout.is_by_token:
        return vectors
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, vectors)


def import_pyarrow() -> tuple[Any, Any]:
    """`pyarrow` and `pyarrow.parquet`.

    Raises:
        ModuleNotFoundError: if they are not installed; it tells how to install them.
    """
    parquet = import_optional("pyarrow.parquet", "bulk", "Parquet files")
    return import_optional("pyarrow", "bulk", "Parquet files"), parquet


def _read_group(file: Any, group: int) -> Any:
    return file.read_row_group(group).combine_chunks()
