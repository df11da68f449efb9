import numpy as np
import oracles
import pytest

from keras_elmo import BiLSTM

UNITS, PROJECTION, TIME = 6, 4, 5


def weights_of(layer):
    kernels = [layer.kernel, layer.recurrent_kernel]
    return (
        np.concatenate([np.asarray(kernel) for kernel in kernels]),
        np.asarray(layer.bias),
        np.asarray(layer.projection_kernel),
    )


@pytest.mark.parametrize("use_skip_connections", [True, False])
def test_equals_oracle(use_skip_connections):
    bilstm = BiLSTM(
        UNITS, PROJECTION, 3, 0.3, 0.05, use_skip_connections, return_state=True
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, TIME, PROJECTION))
    state = [
        rng.normal(size=(1, size))
        for size in (PROJECTION, UNITS, PROJECTION, UNITS) * 3
    ]
    layers, final = bilstm(
        x.astype("float32"), initial_state=[s.astype("float32") for s in state]
    )
    for direction, stack in enumerate((bilstm.forward_layers, bilstm.backward_layers)):
        order = -1 if direction else 1
        inputs = x[0][::order]
        for index, layer in enumerate(stack):
            h, c = (s[0] for s in state[4 * index + 2 * direction :][:2])
            clips = layer.cell_clip, layer.projection_clip
            outputs, memory = oracles.lstm(inputs, h, c, *weights_of(layer), *clips)
            hidden = outputs[-1]
            if use_skip_connections and index > 0:
                outputs = outputs + inputs
            half = slice(direction * PROJECTION, (direction + 1) * PROJECTION)
            np.testing.assert_allclose(
                layers[index][0, ::order, half], outputs, atol=1e-6
            )
            # The state is what the LSTM passes on, without the skip connection.
            final_h, final_c = final[4 * index + 2 * direction :][:2]
            np.testing.assert_allclose(final_h[0], hidden, atol=1e-6)
            np.testing.assert_allclose(final_c[0], memory, atol=1e-6)
            inputs = outputs


def test_directions_never_meet():
    """A forward output does not change with what follows, nor a backward one with
    what precedes, at any layer."""
    bilstm = BiLSTM(UNITS, PROJECTION)
    x = np.random.default_rng(0).normal(size=(1, TIME, 3)).astype("float32")
    changed = x.copy()
    changed[0, 2] += 1
    for before, after in zip(bilstm(x), bilstm(changed), strict=True):
        differs = np.abs(np.asarray(before - after)).max(axis=0) > 1e-7
        forward = differs[:, :PROJECTION].any(axis=1)
        backward = differs[:, PROJECTION:].any(axis=1)
        assert forward.tolist() == [False, False, True, True, True]
        assert backward.tolist() == [True, True, True, False, False]


def test_state_of_wrong_length():
    with pytest.raises(ValueError, match="8 in all"):
        BiLSTM(UNITS)(np.ones((1, 2, 3), "float32"), initial_state=[np.ones((1, 6))])


def test_state_of_wrong_shape():
    state = [np.ones((1, size), "float32") for size in (UNITS, PROJECTION) * 4]
    with pytest.raises(ValueError, match=r"\(batch, 4\) and \(batch, 6\) in turn"):
        BiLSTM(UNITS, PROJECTION)(np.ones((1, 2, 3), "float32"), initial_state=state)
