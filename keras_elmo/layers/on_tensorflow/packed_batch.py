"""The layout of a batch without its padding."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class PackedBatch(NamedTuple):
    """Where each token of a batch stands once padding is left out.

    Tokens are laid out step after step: first the first token of every row, the longest
    rows ahead, then every second token, and so on. The rows that still have a token are
    then always the first ones, so that each step of an LSTM reads one slice, and
    nothing is computed where there is no token. There are two layouts, because the
    backward direction begins with the last token of each row.

    Reference: Appleyard et al. 2016, arXiv:1604.01946, for cuDNN; `PackedSequence` of
    PyTorch.

    Attributes:
        sizes: int32 `(steps,)`, the number of rows that have a token at each step.
        order: int32 `(batch,)`, the rows, the longest ones first.
        rank: int32 `(batch,)`, the place of each row in that order.
        sources: For forward and backward, int32 `(tokens,)`: which position of the
            batch, counted row by row, each packed token comes from.
        places: For forward and backward, int32 `(batch, time)`: where the token of each
            position is packed; the number of tokens where there is none.
    """

    sizes: tf.Tensor
    order: tf.Tensor
    rank: tf.Tensor
    sources: tuple[tf.Tensor, tf.Tensor]
    places: tuple[tf.Tensor, tf.Tensor]

    @classmethod
    def of_mask(cls, mask: tf.Tensor) -> "PackedBatch":
        """The layout of a batch that has tokens where `mask` `(batch, time)` is True.

        Example:

        >>> import numpy as np
        >>> mask = np.array([[True, False, False], [True, True, True]])
        >>> batch = PackedBatch.of_mask(mask)
        >>> batch.sizes.numpy().tolist()
        [2, 1, 1]
        >>> batch.places[0].numpy().tolist()
        [[1, 4, 4], [0, 2, 3]]
        """
        is_token = tf.cast(mask, tf.int32)
        number = tf.cumsum(is_token, axis=1)  # 1, 2, 3, ... at the tokens of a row
        lengths = tf.reduce_sum(is_token, axis=1)
        order = tf.math.top_k(lengths, tf.size(lengths)).indices
        rank = tf.math.invert_permutation(order)
        longest = tf.maximum(tf.reduce_max(lengths), 0)  # a batch may have no rows
        has_token = tf.expand_dims(tf.range(longest), 1) < lengths  # (steps, batch)
        sizes = tf.reduce_sum(tf.cast(has_token, tf.int32), axis=1)
        # Where each step begins, and at the end the number of tokens.
        offsets = tf.concat([[0], tf.cumsum(sizes)], axis=0)
        rank_of_token = tf.expand_dims(rank, 1) * is_token
        positions = tf.squeeze(tf.where(tf.reshape(mask, [-1])), 1)
        positions = tf.cast(positions, tf.int32)
        sources, places = [], []
        for step in (number - 1, tf.expand_dims(lengths, 1) - number):
            begin = tf.gather(offsets, tf.where(mask, step, longest))
            place = begin + rank_of_token
            packed = tf.gather(tf.reshape(place, [-1]), positions)
            sources.append(tf.dynamic_stitch([packed], [positions]))
            places.append(place)
        return cls(sizes, order, rank, tuple(sources), tuple(places))

    def pack(self, sequence: tf.Tensor, go_backwards: bool = False) -> tf.Tensor:
        """The tokens of `(batch, time, dim)` in this layout, `(tokens, dim)`."""
        flat = tf.reshape(sequence, [-1, sequence.shape[-1]])
        return tf.gather(flat, self.sources[go_backwards])

    def unpack(self, packed: tf.Tensor, go_backwards: bool = False) -> tf.Tensor:
        """`(tokens, dim)` as `(batch, time, dim)`, 0 where there is no token."""
        with_zeros = tf.pad(packed, [[0, 1], [0, 0]])
        return tf.gather(with_zeros, self.places[go_backwards])

    def sort(self, states: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """States of the rows, each `(batch, dim)`, the longest rows first."""
        return [tf.gather(state, self.order) for state in states]

    def unsort(self, states: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The same states in the order of the batch."""
        return [tf.gather(state, self.rank) for state in states]

    def zeros(self, sizes: Sequence[int], dtype: str) -> list[tf.Tensor]:
        """States of zeros `(batch, size)`, one a size."""
        batch_size = tf.size(self.order)
        return [tf.zeros([batch_size, size], dtype) for size in sizes]
