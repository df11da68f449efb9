import keras
import numpy as np
import oracles
import pytest
import tensorflow as tf
from models import small_bilm

from keras_elmo.layers import BiLSTM
from keras_elmo.layers.on_tensorflow.packed_batch import PackedBatch
from keras_elmo.layers.projected_lstm import ProjectedLSTM

MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1]], bool)
RNG = np.random.default_rng(0)


def values(*shape, scale=1.0):
    return (scale * RNG.standard_normal(shape)).astype("float32")


def set_random_weights(layer, scale=1.0):
    for variable in layer.variables:
        variable.assign(values(*variable.shape, scale=scale))


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("projection_dim", [3, 5])
@pytest.mark.parametrize("clips", [(0.4, 0.3), (None, None)])
def test_each_row_is_read_from_its_state(go_backwards, projection_dim, clips):
    lstm = ProjectedLSTM(5, projection_dim, *clips, go_backwards=go_backwards)
    lstm.build((None, None, 4))
    set_random_weights(lstm)
    inputs, state = values(4, 4, 4), [values(4, projection_dim), values(4, 5)]
    batch = PackedBatch.of_mask(MASK)
    outputs, *final = lstm.read_packed(
        batch,
        batch.pack(inputs, go_backwards),
        batch.sort(state),
    )
    outputs = batch.unpack(outputs, go_backwards).numpy()
    hidden, memory = (tensor.numpy() for tensor in batch.unsort(final))
    kernels = np.concatenate([lstm.kernel.numpy(), lstm.recurrent_kernel.numpy()])
    projection = lstm.projection_kernel
    if projection is not None:
        projection = projection.numpy()
    for row in range(4):
        if not MASK[row].any():
            np.testing.assert_array_equal(hidden[row], state[0][row])
            np.testing.assert_array_equal(memory[row], state[1][row])
            continue
        x = inputs[row, MASK[row]]
        expected, c = oracles.lstm(
            x[::-1] if go_backwards else x,
            state[0][row],
            state[1][row],
            kernels,
            lstm.bias.numpy(),
            projection,
            *clips,
        )
        np.testing.assert_allclose(hidden[row], expected[-1], atol=1e-5)
        np.testing.assert_allclose(memory[row], c, atol=1e-5)
        expected = expected[::-1] if go_backwards else expected
        np.testing.assert_allclose(outputs[row, MASK[row]], expected, atol=1e-5)
    assert not outputs[~MASK].any()


def gradients(bilstm, inputs, states, weights, packed):
    """Of a weighted sum of all outputs and final states."""
    inputs, states = tf.nest.map_structure(tf.convert_to_tensor, (inputs, states))
    sources = [inputs, *states, *(v.value for v in bilstm.trainable_variables)]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs, final = bilstm(inputs, MASK, states, packed=packed)
        pairs = zip([*outputs, *final], weights, strict=True)
        loss = tf.add_n([tf.reduce_sum(x * weight) for x, weight in pairs])
    # A state's gradient is `IndexedSlices`, because its rows were taken by index.
    return [tf.convert_to_tensor(x) for x in tape.gradient(loss, sources)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("projection_dim", "clips"), [(3, (0.4, 0.3)), (5, (None, None))]
)
@pytest.mark.parametrize(
    ("in_graph", "trainable"), [(False, True), (True, True), (False, False)]
)
def test_gradients_are_those_of_the_padded_loop(
    projection_dim, clips, in_graph, trainable
):
    bilstm = BiLSTM(5, projection_dim, 3, *clips, return_state=True)
    bilstm.build((None, None, projection_dim))
    set_random_weights(bilstm)
    bilstm.trainable = trainable
    inputs = values(4, 4, projection_dim)
    states = [values(4, size) for size in bilstm.state_sizes]
    weights = [values(4, 4, 2 * projection_dim) for _ in range(3)]
    weights += [values(4, size) for size in bilstm.state_sizes]
    compute = tf.function(gradients) if in_graph else gradients
    packed = compute(bilstm, inputs, states, weights, True)
    padded = compute(bilstm, inputs, states, weights, False)
    assert len(packed) == len(padded) == 1 + 12 + len(bilstm.trainable_variables)
    for gradient, expected in zip(packed, padded, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_float16_stays_near():
    full = BiLSTM(5, 3)
    half = BiLSTM(5, 3, dtype=keras.DTypePolicy("mixed_float16"))
    inputs = values(4, 4, 3)
    expected = full(inputs, MASK, packed=True)
    half.build(inputs.shape)
    half.set_weights(full.get_weights())
    for output, reference in zip(
        half(inputs, MASK, packed=True), expected, strict=True
    ):
        assert output.dtype == "float16"
        np.testing.assert_allclose(output, reference, atol=1e-2)


def test_carried_state_follows_its_row():
    packed = small_bilm(return_state=True)
    padded = small_bilm(return_state=True)
    padded.set_weights(packed.get_weights())
    states = [None, None]
    for lengths in ([3, 1, 0], [1, 4, 2]):
        ids = np.zeros((3, max(lengths), 50), "int32")
        for row, length in enumerate(lengths):
            ids[row, :length] = RNG.integers(1, 256, (length, 50))
        results = [
            bilm(ids, initial_state=state, packed=choice)
            for bilm, state, choice in zip(
                (packed, padded), states, (True, False), strict=True
            )
        ]
        for pair in zip(*map(tf.nest.flatten, results), strict=True):
            np.testing.assert_allclose(*pair, atol=1e-5)
        states = [result[1] for result in results]
