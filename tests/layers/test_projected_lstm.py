import h5py
import keras
import numpy as np
import oracles
import pytest

from keras_elmo import ProjectedLSTM

UNITS, PROJECTION, INPUT, TIME = 7, 4, 3, 6
CLIP, PROJECTION_CLIP = 0.6, 0.25


def weights(rng, projection=PROJECTION):
    """No two values equal, large enough for both clips to act."""
    w = rng.normal(size=(INPUT + projection, 4 * UNITS))
    b = rng.normal(size=4 * UNITS)
    p = rng.normal(size=(UNITS, projection)) if projection < UNITS else None
    return w, b, p


def set_weights(layer, w, b, p):
    layer.build((None, None, INPUT))
    layer.kernel.assign(w[:INPUT])
    layer.recurrent_kernel.assign(w[INPUT:])
    layer.bias.assign(b)
    if p is not None:
        layer.projection_kernel.assign(p)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("projection", [PROJECTION, UNITS])
@pytest.mark.parametrize("clips", [(CLIP, PROJECTION_CLIP), (None, None)])
def test_equals_oracle_from_a_state(go_backwards, projection, clips):
    rng = np.random.default_rng(1)
    w, b, p = weights(rng, projection)
    layer = ProjectedLSTM(
        UNITS, projection, *clips, go_backwards=go_backwards, return_state=True
    )
    set_weights(layer, w, b, p)
    x = rng.normal(size=(2, TIME, INPUT))
    h, c = rng.normal(size=(2, projection)), rng.normal(size=(2, UNITS))
    lengths = [TIME, TIME - 2]
    mask = np.arange(TIME) < np.array(lengths)[:, None]

    outputs, hidden, memory = layer(
        x.astype("float32"),
        mask=mask,
        initial_state=[h.astype("float32"), c.astype("float32")],
    )
    direction = -1 if go_backwards else 1
    for row, length in enumerate(lengths):
        tokens = x[row, :length][::direction]
        expected, final = oracles.lstm(tokens, h[row], c[row], w, b, p, *clips)
        in_order = expected[::direction]
        np.testing.assert_allclose(outputs[row, :length], in_order, atol=1e-6)
        np.testing.assert_array_equal(outputs[row, length:], 0)
        np.testing.assert_allclose(hidden[row], expected[-1], atol=1e-6)
        np.testing.assert_allclose(memory[row], final, atol=1e-6)


def test_both_clips_act_in_that_test():
    rng = np.random.default_rng(1)
    w, b, p = weights(rng)
    layer = ProjectedLSTM(UNITS, PROJECTION, CLIP, PROJECTION_CLIP, return_state=True)
    set_weights(layer, w, b, p)
    outputs, _, memory = layer(rng.normal(size=(2, TIME, INPUT)).astype("float32"))
    assert (np.abs(memory) == np.float32(CLIP)).any()
    assert (np.abs(outputs) == np.float32(PROJECTION_CLIP)).any()
    assert (np.abs(outputs) < np.float32(PROJECTION_CLIP)).any()


def test_state_carries_on():
    layer = ProjectedLSTM(UNITS, PROJECTION, return_state=True)
    x = np.random.default_rng(2).normal(size=(2, TIME, INPUT)).astype("float32")
    whole, *final = layer(x)
    first, *state = layer(x[:, :2])
    second, *resumed = layer(x[:, 2:], initial_state=state)
    np.testing.assert_allclose(
        np.concatenate([first, second], axis=1), whole, atol=1e-6
    )
    for left, right in zip(final, resumed, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_padding_changes_nothing(go_backwards):
    layer = ProjectedLSTM(UNITS, PROJECTION, go_backwards=go_backwards)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, TIME, INPUT)).astype("float32")
    padded = np.concatenate([x, rng.normal(size=(1, 9, INPUT))], axis=1)
    mask = np.arange(TIME + 9)[None] < TIME
    outputs = layer(padded.astype("float32"), mask=mask)
    np.testing.assert_allclose(outputs[:, :TIME], layer(x), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` should be a positive integer"),
        ({"units": True}, "`units` should be a positive integer"),
        ({"units": 4, "projection_dim": 5}, "`projection_dim` should not exceed"),
        ({"units": 4, "cell_clip": -1}, "`cell_clip` should be a positive number"),
        ({"units": 4, "projection_clip": 0}, "`projection_clip` should be a pos"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ProjectedLSTM(**arguments)


def test_no_time_step():
    with pytest.raises(ValueError, match="at least one time step"):
        ProjectedLSTM(UNITS)(np.ones((2, 0, INPUT), "float32"))


def test_no_projection_has_no_projection_kernel():
    layer = ProjectedLSTM(UNITS)
    layer.build((None, None, INPUT))
    assert layer.projection_kernel is None
    assert layer.count_params() == 4 * UNITS * (INPUT + UNITS + 1)


def test_mask_reaches_the_next_layer():
    layer = ProjectedLSTM(UNITS)
    text = keras.Input((None,), dtype="int32")
    x = layer(keras.layers.Embedding(5, INPUT, mask_zero=True)(text))
    model = keras.Model(text, keras.layers.LSTM(2)(x))
    padded = model(np.array([[1, 2, 0, 0]]))
    np.testing.assert_allclose(padded, model(np.array([[1, 2]])), atol=1e-6)


def test_weights_lie_beside_each_other_in_files(tmp_path):
    """No path names the loop, so that another one can read the same files."""
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, ProjectedLSTM(4, 2)(inputs))
    model.save_weights(tmp_path / "model.weights.h5")
    paths = []
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(
            lambda name, item: paths.append(name) if hasattr(item, "shape") else None
        )
    folder = "layers/projected_lstm/vars"
    assert paths == [f"{folder}/{index}" for index in range(4)]
