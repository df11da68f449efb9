from keras import ops


def lstm_step(
    projected_input,
    hidden,
    memory,
    recurrent_kernel,
    projection_kernel=None,
    cell_clip=None,
    projection_clip=None,
):
    """One step of the projected, clipped LSTM, as its equations read.

    Reference: Sak et al. 2014, arXiv:1402.1128, without peepholes; gate order,
    forget bias and the place of both clips are those of TensorFlow 1's
    `LSTMCell`, which the published weights were trained with.

    Args:
        projected_input: `(batch, 4 * units)`, the input times its kernel plus
            the bias, gates in the order input, candidate, forget, output.
        hidden: `(batch, projection_dim)`.
        memory: `(batch, units)`.
        recurrent_kernel: `(projection_dim, 4 * units)`.
        projection_kernel: `(units, projection_dim)`, or None.
        cell_clip: Bound of the memory, or None.
        projection_clip: Bound of the projected output, or None.

    Returns:
        `hidden`, `memory` of the step, shaped as above.
    """
    gates = projected_input + ops.matmul(hidden, recurrent_kernel)
    input_gate, candidate, forget_gate, output_gate = ops.split(gates, 4, axis=-1)
    # The 1 is TensorFlow 1's `forget_bias`: added when running, not stored.
    memory = ops.sigmoid(forget_gate + 1) * memory
    memory = memory + ops.sigmoid(input_gate) * ops.tanh(candidate)
    if cell_clip is not None:
        memory = ops.clip(memory, -cell_clip, cell_clip)
    hidden = ops.sigmoid(output_gate) * ops.tanh(memory)
    if projection_kernel is not None:
        hidden = ops.matmul(hidden, projection_kernel)
        if projection_clip is not None:
            hidden = ops.clip(hidden, -projection_clip, projection_clip)
    return hidden, memory
