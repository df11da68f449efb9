"""Batches of integers, each of which may go on where the one before ended."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.bilm import BiLM
from keras_elmo.compat.batch_states import BatchStates
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
        self._states: Any = None
        if bilm.return_state:
            self._states = BatchStates(bilm.bilstm.state_sizes)

    def __call__(self, ids: Any) -> dict[str, Any]:
        if isinstance(ids, keras.KerasTensor) or not tf.executing_eagerly():
            if self._states is not None:
                raise RuntimeError(
                    "A state that is carried from batch to batch needs direct calls. "
                    "Received: a call in a graph. Leave `stateful=True` out"
                )
            return self._layer(ids)
        if self._states is None:
            return self._run(ids, packed=True)
        return self._states.carry(self._run, ids, len(ids), packed=True)

    def reset_state(self) -> None:
        """Lets the next batch start from zeros."""
        self._states.reset()
