"""Batches of integers, each of which may go on where the one before ended."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.bilm import BiLM
from keras_elmo.compat.frozen_bilm import FrozenBiLM
from keras_elmo.embedding.compiled import PureCall


class BatchReader:
    """Calls a `FrozenBiLM`, in one graph, with the state of the batch before if wanted.

    Args:
        bilm: A `BiLM`. With `return_state=True`, every row of a batch starts from where
            that row of the batch before ended; a row that no batch had, from zeros.
        word_vectors: The `word_emb` of words, `(words, projection_dim)`, if batches
            hold numbers of words. Defaults to None: they hold character ids.

    Call arguments:
        ids: See `FrozenBiLM`. Without a state, they may be symbolic.

    Returns:
        See `FrozenBiLM`.

    Example:

    >>> bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4, return_state=True)
    >>> reader = BatchReader(bilm)
    >>> first, second = (reader(tf.fill([1, 5, 50], 261)) for _ in range(2))
    >>> bool(np.all(first["lm_embeddings"] == second["lm_embeddings"]))
    False
    """

    def __init__(self, bilm: BiLM, word_vectors: np.ndarray | None = None):
        num_words = None if word_vectors is None else len(word_vectors)
        self._layer = FrozenBiLM(bilm, num_words)
        if word_vectors is not None:
            self._layer.set_word_vectors(word_vectors)
        self._run = PureCall(self._layer, trained=[], frozen=self._layer.variables)
        self._states: list[tf.Tensor] | None = None

    def __call__(self, ids: Any) -> dict[str, Any]:
        is_stateful = self._layer.bilm.return_state
        if isinstance(ids, keras.KerasTensor) or not tf.executing_eagerly():
            if is_stateful:
                raise RuntimeError(
                    "A state that is carried from batch to batch needs direct calls. "
                    "Received: a call in a graph. Leave `stateful=True` out"
                )
            return self._layer(ids)
        if not is_stateful:
            return self._run(ids, packed=True)
        outputs, final = self._run(ids, self._first_states(len(ids)), packed=True)
        self._keep(final)
        return outputs

    def reset_state(self) -> None:
        """Lets the next batch start from zeros."""
        self._states = None

    def _first_states(self, rows: int) -> list[tf.Tensor]:
        if self._states is None:
            sizes = self._layer.bilm.bilstm.state_sizes
            self._states = [tf.zeros([0, size]) for size in sizes]
        missing = max(rows - len(self._states[0]), 0)
        padded = [tf.pad(state, [[0, missing], [0, 0]]) for state in self._states]
        return [state[:rows] for state in padded]

    def _keep(self, final: list[tf.Tensor]) -> None:
        # Rows that this batch lacks keep their state for the next one that has them.
        self._states = [
            tf.concat([new, old[len(new) :]], axis=0)
            for new, old in zip(final, self._states or [], strict=True)
        ]
