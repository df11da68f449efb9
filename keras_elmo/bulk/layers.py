"""What of a model's outputs is stored for a sentence."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

LAYERS = ("all", "top", "average", "elmo", "default")
# The outputs of a very long sentence are files, of which so many tokens are in memory.
_TOKENS_PER_BLOCK = 4096


@dataclasses.dataclass(frozen=True)
class Layers:
    """A choice among the outputs of an `ElmoEmbedding`.

    Args:
        name: One of `LAYERS`: every layer, with `word_emb` doubled to their width; the
            last; the mean of all; the learned mix; or the mean of that over tokens.
        num_layers: Number of biLSTM layers.
        projection_dim: Width of a layer in one direction.

    Example:

    >>> Layers("all", 2, 128).row_shape, Layers("default", 2, 128).row_shape
    ((3, 256), (256,))
    """

    name: str
    num_layers: int
    projection_dim: int

    @property
    def output_key(self) -> str | None:
        """The `output_key` of the embedding that gives what is needed."""
        keys = {"all": None, "average": None, "top": f"lstm_outputs{self.num_layers}"}
        return keys.get(self.name, self.name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is stored side by side."""
        if self.name != "all":
            return (self.name,)
        return ("word_emb", *self._lstm_outputs)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of what is stored for a token, or for a sentence."""
        dim = 2 * self.projection_dim
        return (1 + self.num_layers, dim) if self.name == "all" else (dim,)

    @property
    def is_by_token(self) -> bool:
        """Whether there is a row a token, or else one a sentence."""
        return self.name != "default"

    def rows(self, sentences: int, tokens: int) -> int:
        """How many rows so much text has."""
        return tokens if self.is_by_token else sentences

    def blocks(self, outputs: Any, dtype: str) -> Iterator[np.ndarray]:
        """The rows `(rows, *row_shape)` of one sentence, some at a time.

        Args:
            outputs: What the embedding computed, see `output_key`.
            dtype: `"float32"` or `"float16"`.

        Raises:
            FloatingPointError: if a value is too large for `dtype`.
        """
        if not self.is_by_token:
            yield _as(np.asarray(outputs)[None], dtype)
            return
        names = ("word_emb", *self._lstm_outputs)
        is_dict = isinstance(outputs, Mapping)
        arrays = [outputs[name] for name in names] if is_dict else [outputs]
        for start in range(0, len(arrays[0]), _TOKENS_PER_BLOCK):
            parts = [np.asarray(a[start : start + _TOKENS_PER_BLOCK]) for a in arrays]
            yield _as(self._combine(parts), dtype)

    def rows_of(self, outputs: Any) -> np.ndarray:
        """All of `blocks` as one array of float32, which may have no rows."""
        nothing = np.zeros((0, *self.row_shape), "float32")
        return np.concatenate([nothing, *self.blocks(outputs, "float32")])

    def _combine(self, parts: list[np.ndarray]) -> np.ndarray:
        if len(parts) == 1:
            return parts[0]
        word_emb, *lstm_outputs = parts
        doubled = np.concatenate([word_emb, word_emb], axis=-1)
        stacked = np.stack([doubled, *lstm_outputs], axis=1)
        return stacked if self.name == "all" else stacked.mean(axis=1, dtype="float32")

    @property
    def _lstm_outputs(self) -> list[str]:
        return [f"lstm_outputs{index + 1}" for index in range(self.num_layers)]


def _as(array: np.ndarray, dtype: str) -> np.ndarray:
    try:
        with np.errstate(over="raise"):
            return np.ascontiguousarray(array, dtype)
    except FloatingPointError as error:
        raise FloatingPointError(
            f'`dtype` should be able to hold every value. Received: dtype="{dtype}", '
            f"and a value of {np.abs(array).max():.3g}. Use float32"
        ) from error
