"""What the formats of shards have in common."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from keras_elmo.bulk.formats import scaled_int16


class Sentence(NamedTuple):
    """What is stored for a line.

    Attributes:
        tokens: Its tokens.
        blocks: Its vectors `(rows, *row_shape)`, some rows at a time.
    """

    tokens: list[bytes]
    blocks: Iterator[np.ndarray]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What is known of a shard before it is written or read.

    Attributes:
        first_line: Number of its first line in all of the text.
        lines: Number of its lines.
        rows: Number of its vectors: one a token, or one a line.
        row_shape: Shape of one of them, `(dim,)` or `(layers, dim)`.
        columns: Names of the layers.
        dtype: `"float32"`, `"float16"` or `"int16"`, see `scaled_int16`.
    """

    first_line: int
    lines: int
    rows: int
    row_shape: tuple[int, ...]
    columns: tuple[str, ...]
    dtype: str

    @property
    def is_by_token(self) -> bool:
        """Whether there is a vector a token."""
        return self.columns != ("default",)

    @property
    def is_scaled(self) -> bool:
        """Whether vectors are stored as `scaled_int16` has them."""
        return self.dtype == "int16"

    @property
    def array_dtype(self) -> str:
        """The dtype of arrays that are written, and read."""
        return array_dtype(self.dtype)

    @property
    def stored_row_shape(self) -> tuple[int, ...]:
        """The shape of a row as it is stored, in `stored_dtype`."""
        return self.row_shape[:-1] if self.is_scaled else self.row_shape

    @property
    def stored_dtype(self) -> np.dtype:
        """The dtype of a number, or with `"int16"` of a vector."""
        if self.is_scaled:
            return scaled_int16.stored_dtype(self.row_shape[-1])
        return np.dtype(self.dtype)

    @property
    def row_bytes(self) -> int:
        """How many bytes a row takes."""
        return math.prod(self.stored_row_shape) * self.stored_dtype.itemsize

    def array(self, rows: np.ndarray) -> np.ndarray:
        """The vectors `(rows, *row_shape)` of a sentence as users see them.

        Returns:
            `(layers, tokens, dim)`, `(tokens, dim)` or `(dim,)`, without a copy.
        """
        if not self.is_by_token:
            return rows[0]
        return rows if rows.ndim == 2 else np.moveaxis(rows, 1, 0)


def array_dtype(dtype: str) -> str:
    """The dtype of arrays whose vectors are stored as `dtype`."""
    return "float32" if dtype == "int16" else dtype


class Contents(NamedTuple):
    """A shard to assemble.

    Attributes:
        arrays: The array of a line, by its number in the shard, see `Layout.array`.
        lines: The lines themselves.
    """

    arrays: Callable[[int], np.ndarray]
    lines: list[bytes]


class ShardReader(Protocol):
    """A shard to read, by the number of a line in it."""

    def vectors(self, index: int) -> np.ndarray:
        """The vectors `(rows, *row_shape)` of a line."""

    def tokens(self, index: int) -> list[str]:
        """The tokens of a line."""


def damaged(path: object, error: object) -> ValueError:
    """The error of a shard that can't be what was written."""
    return ValueError(
        f"'{path}' should be as `keras-elmo embed` wrote it. Received: one that can't "
        f"be read ({error}). `keras-elmo embed --check` names all that is damaged; the "
        "command that made it mends it with --resume"
    )
