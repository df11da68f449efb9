from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_elmo.text.encode import to_distinct_char_ids

DIRECTIONS = ("forward", "backward")


class Contexts(NamedTuple):
    """What one direction has read before it predicts some tokens.

    Attributes:
        rows: Integers `(positions,)`, the row of each of these tokens.
        places: Integers `(positions,)`, its place in the row.
        outputs: `(positions, projection_dim)` in the compute dtype, from which the
            softmax predicts it.
    """

    rows: np.ndarray
    places: np.ndarray
    outputs: tf.Tensor


class ContextReader:
    """Reads sentences, each by itself, up to each token that is to be predicted.

    Every sentence starts from a state of zeros, and what comes out does not depend on
    the others. It is read in windows, between which the LSTMs keep their state, so that
    memory does not grow with its length.

    Args:
        bilm: A `BiLM`.
    """

    def __init__(self, bilm: Any):
        self._bilm = bilm
        bilstm = bilm.bilstm
        # A layer has two states, so that those of a direction come in pairs.
        self._sizes = [(bilstm.projection_dim, bilstm.units)] * bilstm.num_layers
        states = [
            [tf.TensorSpec([None, size], bilm.compute_dtype) for size in sizes]
            for sizes in self._sizes
        ]
        # One trace serves all shapes.
        signature = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.bool),
            states,
        )
        self._read = {
            name: tf.function(
                partial(self._read_window, layers), signature, autograph=False
            )
            for name, layers in zip(
                DIRECTIONS,
                (bilstm.forward_layers, bilstm.backward_layers),
                strict=True,
            )
        }

    def read(
        self, rows: Sequence[Sequence[bytes]], direction: str, max_tokens: int
    ) -> Iterator[Contexts]:
        """The tokens that a direction predicts, window by window as it reads.

        Forward that is all but the first of a row, from what is before them, and
        backward all but the last, from what is after them.

        Args:
            rows: Sentences with their boundaries, of about one length.
            direction: `"forward"` or `"backward"`.
            max_tokens: Positions to read at once, padding included.
        """
        is_backward = direction == "backward"
        lengths = np.array([len(row) - 1 for row in rows])
        starts = range(0, int(lengths.max()), max(max_tokens // len(rows), 1))
        states = self._zeros(len(rows))
        for start in reversed(starts) if is_backward else starts:
            step = np.arange(start, min(start + starts.step, starts.stop))
            mask = step < lengths[:, None]
            # Forward reads the token before the predicted one, backward that after it.
            first = start + is_backward
            tokens = [
                token
                for row, count in zip(rows, mask.sum(axis=1), strict=True)
                for token in row[first : first + count]
            ]
            char_ids, numbers = to_distinct_char_ids(
                tf.constant(tokens), self._bilm.max_characters
            )
            index = np.zeros(mask.shape, "int32")
            index[mask] = numbers
            outputs, states = self._read[direction](char_ids, index, mask, states)
            row_numbers, columns = np.nonzero(mask)
            yield Contexts(row_numbers, columns + start + (not is_backward), outputs)

    def _zeros(self, batch: int) -> list[list[tf.Tensor]]:
        dtype = self._bilm.compute_dtype
        return [[tf.zeros([batch, n], dtype) for n in sizes] for sizes in self._sizes]

    def _read_window(
        self,
        layers: Sequence[Any],
        char_ids: tf.Tensor,
        index: tf.Tensor,
        mask: tf.Tensor,
        states: list[list[tf.Tensor]],
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        word_emb = tf.gather(self._bilm.char_cnn(char_ids), index)
        outputs, states = self._bilm.bilstm.read(layers, word_emb, states, mask)
        return tf.boolean_mask(outputs[-1], mask), states
