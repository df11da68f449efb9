"""Sentences that do not fit into memory as a batch of one."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.embedding.compiled import PureCall
from keras_elmo.embedding.outputs import all_outputs
from keras_elmo.embedding.word_vectors import WordVectors

_ON_DISK = 64 << 20  # bytes


class LongSentenceReader:
    """Embeds a sentence in windows, between which the LSTMs keep their state.

    Each direction reads all of it, from its own end, before the layers are mixed. The
    result is that of reading it in one pass.

    Args:
        elmo: A built `ElmoEmbedding`, without layer normalisation.
    """

    def __init__(self, elmo: Any):
        self._elmo = elmo
        bilstm = elmo.bilm.bilstm
        self._read = PureCall(self._read_window, trained=[], frozen=bilstm.variables)
        self._mix = PureCall(self._mix_window, trained=elmo.mix.variables)

    def read(
        self,
        tokens: Sequence[bytes],
        vectors: WordVectors,
        output_key: str | None,
        window: int,
    ) -> dict[str, np.ndarray]:
        """The outputs of one sentence by name.

        Args:
            tokens: With its boundaries, if it has any.
            vectors: Function of tokens, see `WordVectors`.
            output_key: The only output, or None for all.
            window: Tokens to read at once.
        """
        word_emb = _allocate(len(tokens), vectors(tokens[:1]))
        for part in _parts(len(tokens), window):
            word_emb[part] = vectors(tokens[part])
        layers = self._read_layers(word_emb, window)
        if self._elmo.sentence_boundaries:
            layers = [layer[1:-1] for layer in layers]
        return self._outputs(layers, output_key, window)

    def _read_layers(self, word_emb: np.ndarray, window: int) -> list[np.ndarray]:
        bilm = self._elmo.bilm
        doubled = np.concatenate([word_emb[:1]] * 2, axis=1)
        lstm_outputs = [
            _allocate(len(word_emb), doubled) for _ in range(bilm.num_layers)
        ]
        width = bilm.projection_dim
        parts = list(_parts(len(word_emb), window))
        for backward, columns in ((False, slice(width)), (True, slice(width, None))):
            states = self._start(backward)
            for part in reversed(parts) if backward else parts:
                outputs, states = self._read(
                    tf.constant(word_emb[part][None]), states, backward=backward
                )
                for layer, output in zip(lstm_outputs, outputs, strict=True):
                    layer[part, columns] = output[0]
        return [word_emb, *lstm_outputs]

    def _start(self, backward: bool) -> list[list[tf.Tensor]]:
        """The state of each layer of a direction at its end of the sentence."""
        elmo = self._elmo
        row = tf.zeros([1, 1])
        if elmo.warm_state is not None:
            states = elmo.warm_state(row)
        else:
            sizes = elmo.bilm.bilstm.state_sizes
            states = [tf.zeros([1, size], elmo.compute_dtype) for size in sizes]
        first = 2 if backward else 0
        return [
            states[layer + first : layer + first + 2]
            for layer in range(0, len(states), 4)
        ]

    def _read_window(self, word_emb: Any, states: Any, backward: bool) -> Any:
        bilstm = self._elmo.bilm.bilstm
        layers = bilstm.backward_layers if backward else bilstm.forward_layers
        return bilstm.read(layers, word_emb, states)

    def _outputs(
        self, layers: list[np.ndarray], output_key: str | None, window: int
    ) -> dict[str, np.ndarray]:
        keys = self._elmo.output_keys
        outputs = dict(zip(keys, layers, strict=False))
        if output_key is not None and output_key in outputs:
            return {output_key: outputs[output_key]}
        elmo = _allocate(len(layers[0]), layers[-1][:1])
        total = np.zeros(elmo.shape[1], "float64")
        for part in _parts(len(elmo), window):
            elmo[part] = self._mix(
                [tf.constant(layer[part][None]) for layer in layers]
            )[0]
            total += elmo[part].sum(axis=0, dtype="float64")
        outputs["elmo"] = elmo
        outputs["default"] = (total / len(elmo)).astype(elmo.dtype)
        return outputs if output_key is None else {output_key: outputs[output_key]}

    def _mix_window(self, layers: Any) -> Any:
        mask = tf.ones(tf.shape(layers[0])[:2], tf.bool)
        *_, elmo, _ = all_outputs(layers, mask, self._elmo.mix, dropout=lambda x: x)
        return elmo


def _parts(length: int, window: int) -> Iterator[slice]:
    for start in range(0, length, window):
        yield slice(start, min(start + window, length))


def _allocate(length: int, like: np.ndarray) -> np.ndarray:
    """`(length, dim)`, in a file that nobody sees if it is large."""
    shape = (length, like.shape[1])
    if length * like.nbytes <= _ON_DISK:
        return np.empty(shape, like.dtype)
    return np.memmap(tempfile.TemporaryFile(), like.dtype, "w+", shape=shape)
