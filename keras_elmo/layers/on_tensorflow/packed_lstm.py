"""A projected LSTM over a packed batch, and its gradient.

It is TensorFlow's alone: a step reads as many rows as still have a token, where XLA and
JAX want all shapes beforehand. They run the padded loop of `ProjectedLSTM`.
"""

from typing import Any

import tensorflow as tf

from keras_elmo.layers.lstm_step import lstm_step
from keras_elmo.layers.on_tensorflow.packed_scan import packed_scan


def is_direct_call() -> bool:
    """Whether what is called now is not part of a graph, which XLA may compile."""
    return tf.executing_eagerly()


@tf.function(autograph=False, reduce_retracing=True)
def packed_lstm(
    inputs: tf.Tensor,
    sizes: tf.Tensor,
    hidden: tf.Tensor,
    memory: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    projection_kernel: tf.Tensor | None = None,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
    widths: tuple[int, ...] = (),
    is_trained: bool = True,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads a packed batch, step by step.

    Args:
        inputs: `(tokens, 4 * units)`, the `projected_input` of `lstm_step` in the
            layout of a `PackedBatch`.
        sizes: int32 `(steps,)`, the number of rows of each step.
        hidden: `(batch, projection_dim)`, the state at the start, rows in the order of
            the `PackedBatch`.
        memory: `(batch, units)`, likewise.
        recurrent_kernel: See `lstm_step`; so are the three arguments that follow.
        widths: Of `hidden` and `memory`. TensorFlow would make one graph of layers of
            different sizes, in which sizes are unknown; so they are told apart.
        is_trained: Whether gradients are likely to be asked for. If not, they are
            TensorFlow's own, because a SavedModel with others stays in the memory of
            whoever loads it.

    Returns:
        The outputs `(tokens, projection_dim)`, and the state after the last token of
        each row, `hidden` and `memory`, shaped as at the start.
    """
    clips = cell_clip, projection_clip

    # TensorFlow's own gradient of a loop would keep every value of every step, and add
    # up the gradients of the kernels step by step.
    @tf.custom_gradient
    def read(inputs, hidden, memory, *kernels):
        state = [hidden, memory]
        outputs, *final_state = _forward(inputs, sizes, state, kernels, clips)

        def gradients(*upstream):
            return _backward(inputs, sizes, state, kernels, clips, outputs, upstream)

        return (outputs, *final_state), gradients

    kernels = [recurrent_kernel]
    if projection_kernel is not None:
        kernels.append(projection_kernel)
    if not is_trained:
        return _forward(inputs, sizes, [hidden, memory], kernels, clips)
    return read(inputs, hidden, memory, *kernels)


def _forward(inputs: Any, sizes: Any, state: Any, kernels: Any, clips: Any) -> Any:
    recurrent_kernel, projection_kernel = _by_name(kernels)

    def step(tokens, state):
        hidden, memory = state
        hidden, memory = lstm_step(
            inputs[tokens], hidden, memory, recurrent_kernel, projection_kernel, *clips
        )
        return [hidden, memory], [hidden]

    width = state[0].shape[1]
    (outputs,), final_state = packed_scan(step, sizes, state, [width])
    return outputs, *final_state


def _backward(
    inputs: Any,
    sizes: Any,
    state: Any,
    kernels: Any,
    clips: Any,
    outputs: Any,
    upstream: Any,
) -> Any:
    """The gradients of the inputs, the state and the kernels.

    What does not go from step to step is computed for all tokens at once, and from the
    outputs, so that nothing else has to be kept until then.
    """
    recurrent_kernel, projection_kernel = _by_name(kernels)
    cell_clip, projection_clip = clips
    upstream_outputs, *upstream_state = upstream
    hidden_before = _before(outputs, state[0], sizes)  # (tokens, projection_dim)
    gates = inputs + tf.matmul(hidden_before, recurrent_kernel)
    i, j, f, o = tf.split(gates, 4, axis=-1)  # (tokens, units) each, as in `lstm_step`
    i, j, f, o = tf.sigmoid(i), tf.tanh(j), tf.sigmoid(f + 1), tf.sigmoid(o)
    memory = _memory(i * j, f, sizes, state[1], cell_clip)
    memory_before = _before(memory, state[1], sizes)
    activated = tf.tanh(memory)
    gate_slopes = tf.concat(
        [
            j * i * (1 - i),
            i * (1 - j * j),
            memory_before * f * (1 - f),
            activated * o * (1 - o),
        ],
        axis=-1,
    )
    memory_slope = o * (1 - activated * activated)
    # Where a value was clipped, no gradient passes.
    memory_passes = _passes(memory, cell_clip)
    output_passes = _passes(outputs, projection_clip if len(kernels) > 1 else None)
    # TensorFlow multiplies by transposed matrices several times slower.
    recurrent_transposed = tf.transpose(recurrent_kernel)
    if projection_kernel is not None:
        projection_transposed = tf.transpose(projection_kernel)

    def step(tokens, state):
        of_output, of_memory = state
        of_output = (of_output + upstream_outputs[tokens]) * output_passes[tokens]
        of_product = of_output  # of the output gate and the activated memory
        if projection_kernel is not None:
            of_product = tf.matmul(of_output, projection_transposed)
        of_memory = of_memory + of_product * memory_slope[tokens]
        of_memory = of_memory * memory_passes[tokens]
        of_gates = tf.concat([of_memory] * 3 + [of_product], -1) * gate_slopes[tokens]
        before = [tf.matmul(of_gates, recurrent_transposed), of_memory * f[tokens]]
        return before, [of_gates, of_output]

    widths = [inputs.shape[1], outputs.shape[1]]
    (of_gates, of_outputs), of_state = packed_scan(
        step, sizes, upstream_state, widths, reverse=True
    )
    of_kernels = [tf.matmul(hidden_before, of_gates, transpose_a=True)]
    if projection_kernel is not None:
        of_kernels.append(tf.matmul(o * activated, of_outputs, transpose_a=True))
    return of_gates, *of_state, *of_kernels


def _memory(added: Any, kept: Any, sizes: Any, start: Any, cell_clip: Any) -> Any:
    """The memory after every token, `(tokens, units)`."""

    def step(tokens, state):
        memory = kept[tokens] * state[0] + added[tokens]
        if cell_clip is not None:
            memory = tf.clip_by_value(memory, -cell_clip, cell_clip)
        return [memory], [memory]

    (memory,), _ = packed_scan(step, sizes, [start], [start.shape[1]])
    return memory


def _before(values: Any, start: Any, sizes: Any) -> Any:
    """Of each packed token, the value of the token that its row had before it."""
    number = tf.range(tf.reduce_sum(sizes))
    # Rows that have a token had one before, so a step moves by the size of the last.
    rows = tf.shape(start)[0]
    distance = tf.concat([[rows], sizes[:-1]], axis=0)[: tf.shape(sizes)[0]]
    index = number + rows - tf.repeat(distance, sizes)
    return tf.gather(tf.concat([start, values], axis=0), index)


def _passes(values: Any, clip: float | None) -> Any:
    if clip is None:
        return tf.ones_like(values)
    return tf.cast(tf.abs(values) < tf.cast(clip, values.dtype), values.dtype)


def _by_name(kernels: Any) -> Any:
    recurrent_kernel, *projection_kernel = kernels
    return recurrent_kernel, projection_kernel[0] if projection_kernel else None
