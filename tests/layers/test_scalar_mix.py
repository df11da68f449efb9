import keras
import numpy as np
import pytest

from keras_elmo import ScalarMix


def layers(count=3, shape=(2, 4, 5), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype("float32") for _ in range(count)]


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_weighted_sum(count):
    inputs = layers(count)
    weights = np.linspace(-1, 2, count).tolist()
    mix = ScalarMix(initial_weights=weights, initial_scaling=0.7)
    expected = 0.7 * sum(s * x for s, x in zip(softmax(weights), inputs, strict=True))
    np.testing.assert_allclose(mix(inputs), expected, atol=1e-6)
    assert [v.name for v in mix.variables] == ["weights", "scaling"]
    assert [v.shape for v in mix.variables] == [(count,), ()]


@pytest.mark.parametrize("do_layer_norm", [True, "row"])
def test_layer_norm_over_unmasked_values(do_layer_norm):
    inputs = layers(1)
    mask = np.array([[True, True, False, False], [True, True, True, False]])
    outputs = np.asarray(ScalarMix(do_layer_norm=do_layer_norm)(inputs, mask=mask))
    x = inputs[0]
    for row in range(2):
        kept = x[mask] if do_layer_norm is True else x[row][mask[row]]
        expected = (x[row] - kept.mean()) / kept.std()
        np.testing.assert_allclose(
            outputs[row][mask[row]], expected[mask[row]], atol=1e-5
        )


def test_row_norm_does_not_depend_on_the_batch():
    x = layers(2)
    mask = np.ones((2, 4), bool)
    row = ScalarMix(do_layer_norm="row")
    batch = ScalarMix(do_layer_norm=True)
    alone = [tensor[:1] for tensor in x]
    np.testing.assert_allclose(
        row(x, mask=mask)[:1], row(alone, mask=mask[:1]), atol=1e-5
    )
    difference = batch(x, mask=mask)[:1] - batch(alone, mask=mask[:1])
    assert np.abs(difference).max() > 1e-3


def test_regularizer_is_the_papers_lambda():
    mix = ScalarMix(
        initial_weights=[1.0, 2.0], weights_regularizer=keras.regularizers.L2(0.1)
    )
    mix(layers(2))
    assert len(mix.losses) == 1
    np.testing.assert_allclose(mix.losses[0], 0.1 * (1 + 4), rtol=1e-6)


def test_bad_arguments():
    with pytest.raises(ValueError, match="2 numbers for num_layers=3"):
        ScalarMix(num_layers=3, initial_weights=[0, 0])
    with pytest.raises(ValueError, match="`do_layer_norm` should be one of"):
        ScalarMix(do_layer_norm="column")
    with pytest.raises(ValueError, match="`inputs` should be a list of tensors"):
        ScalarMix()(layers(1)[0])
    with pytest.raises(ValueError, match="tensors of one shape"):
        ScalarMix()([*layers(1), layers(1)[0][..., :1]])
    with pytest.raises(ValueError, match="list of 3 tensors.*length 2"):
        ScalarMix(num_layers=3)(layers(2))
