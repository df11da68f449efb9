from collections.abc import Callable, Sequence

import tensorflow as tf


def packed_scan(
    step: Callable[[slice, list], tuple[list, list]],
    sizes: tf.Tensor,
    state: Sequence[tf.Tensor],
    widths: Sequence[int],
    reverse: bool = False,
) -> tuple[list, list]:
    """Runs the steps of a packed batch, each over the rows that have a token then.

    Args:
        step: Function of the slice of the packed tokens of a step, and of the state of
            their rows. It returns their new state and a list of outputs
            `(rows, width)`.
        sizes: int32 `(steps,)`, the number of rows of each step; see `PackedBatch`.
        state: List of `(batch, dim)`. The rows that a step has no token of keep theirs.
        widths: Of each output.
        reverse: Whether to begin with the last step. Defaults to False.

    Returns:
        The list of outputs, each `(tokens, width)` in the layout of the batch, and the
        list of the state at the end.

    Example:

    >>> values = tf.constant([[1.0], [2.0], [3.0]])  # rows of two tokens and of one
    >>> def add(tokens, state):
    ...     total = state[0] + values[tokens]
    ...     return [total], [total]
    >>> outputs, state = packed_scan(add, tf.constant([2, 1]), [tf.zeros([2, 1])], [1])
    >>> outputs[0].numpy().ravel().tolist(), state[0].numpy().ravel().tolist()
    ([1.0, 2.0, 4.0], [4.0, 2.0])
    """
    count = tf.shape(sizes)[0]
    offsets = tf.cumsum(sizes, exclusive=True)
    arrays = [
        tf.TensorArray(
            state[0].dtype, count, element_shape=[None, width], infer_shape=False
        )
        for width in widths
    ]

    def body(number, state, arrays):
        index = count - 1 - number if reverse else number
        begin, size = offsets[index], sizes[index]
        rows = [tensor[:size] for tensor in state]
        rows, outputs = step(slice(begin, begin + size), rows)
        rest = [tensor[size:] for tensor in state]
        state = [tf.concat(pair, axis=0) for pair in zip(rows, rest, strict=True)]
        pairs = zip(arrays, outputs, strict=True)
        return number + 1, state, [array.write(index, out) for array, out in pairs]

    invariants = (
        tf.TensorShape([]),
        [tf.TensorShape([None, *tensor.shape[1:]]) for tensor in state],
        [array.flow.shape for array in arrays],
    )
    _, final_state, arrays = tf.while_loop(
        lambda number, *_: number < count,
        body,
        (0, list(state), arrays),
        shape_invariants=invariants,
    )
    return [array.concat() for array in arrays], final_state
