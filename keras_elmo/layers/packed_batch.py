"""The layout of a batch without its padding."""

from typing import Any, NamedTuple

from keras import ops


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

    sizes: Any
    order: Any
    rank: Any
    sources: tuple[Any, Any]
    places: tuple[Any, Any]

    @classmethod
    def of_mask(cls, mask: Any) -> "PackedBatch":
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
        is_token = ops.cast(mask, "int32")
        lengths = ops.sum(is_token, axis=1)
        order = ops.cast(ops.argsort(-lengths), "int32")
        rank = ops.cast(ops.argsort(order), "int32")
        steps = ops.arange(ops.shape(mask)[1], dtype="int32")
        sizes = ops.sum(ops.cast(steps[:, None] < lengths, "int32"), axis=1)
        offsets = ops.cumsum(sizes) - sizes
        forward_step = ops.cumsum(is_token, axis=1) - 1
        positions = ops.cast(ops.where(ops.reshape(mask, (-1,)))[0], "int32")
        sources, places = [], []
        for step in (forward_step, lengths[:, None] - 1 - forward_step):
            place = ops.take(offsets, ops.where(mask, step, 0), axis=0)
            place = ops.where(mask, place + rank[:, None], ops.sum(lengths))
            packed = ops.take(ops.reshape(place, (-1,)), positions)
            source = ops.scatter(packed[:, None], positions, ops.shape(positions))
            sources.append(source)
            places.append(place)
        sizes = sizes[: ops.max(lengths, initial=0)]
        return cls(sizes, order, rank, tuple(sources), tuple(places))

    def pack(self, sequence: Any, go_backwards: bool = False) -> Any:
        """The tokens of `(batch, time, dim)` in this layout, `(tokens, dim)`."""
        flat = ops.reshape(sequence, (-1, sequence.shape[-1]))
        return ops.take(flat, self.sources[go_backwards], axis=0)

    def unpack(self, packed: Any, go_backwards: bool = False) -> Any:
        """`(tokens, dim)` as `(batch, time, dim)`, 0 where there is no token."""
        with_zeros = ops.pad(packed, [(0, 1), (0, 0)])
        return ops.take(with_zeros, self.places[go_backwards], axis=0)
