import keras
import numpy as np
import pytest
from models import skip_bilm, small_bilm, unusual_bilm

from keras_elmo.pretraining import Vocabulary, widen

IDS = np.random.default_rng(0).integers(1, 259, (3, 7, 50))


@pytest.mark.parametrize(("make", "units"), [(skip_bilm, 50), (unusual_bilm, 7)])
def test_more_cells_compute_the_same(make, units):
    bilm = make()
    wide = widen(bilm, units)
    assert wide.get_config() == {**bilm.get_config(), "units": units}
    ids = IDS[..., : bilm.max_characters]
    for layer, same in zip(bilm(ids), wide(ids), strict=True):
        np.testing.assert_allclose(layer, same, atol=1e-6)
    for layer in (*wide.bilstm.forward_layers, *wide.bilstm.backward_layers):
        assert layer.projection_kernel.shape[0] == units


def test_new_cells_are_trained(make_language_model):
    vocabulary = Vocabulary(["<S>", "</S>", "<UNK>", "a"])
    old = make_language_model(vocabulary, 2).bilm
    wide = widen(old, 10)
    wide.compile(keras.optimizers.SGD(1.0), ["mse"] * 3)
    for _ in range(2):  # only the projection learns in the first step
        targets = [np.ones_like(layer) for layer in wide(IDS)]
        before = [layer.kernel.numpy() for layer in wide.bilstm.forward_layers]
        wide.train_on_batch(IDS, targets)
    for layer, kernel in zip(wide.bilstm.forward_layers, before, strict=True):
        assert np.abs(layer.projection_kernel.numpy()[8:]).min() > 0
        changes = np.abs(layer.kernel.numpy() - kernel).max(axis=0)
        assert changes.reshape(4, 10)[:, 8:].min() > 0


def test_the_narrow_one_remains():
    bilm = small_bilm()
    weights = bilm.get_weights()
    for variable in widen(bilm, 9).variables:
        variable.assign(variable + 1)
    for before, after in zip(weights, bilm.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (6, "more than the 6 that `bilm` has. Received: units=6"),
        (5, "more than the 6"),
        (7.5, "`units` should be"),
    ],
)
def test_bad_units(units, message):
    with pytest.raises(ValueError, match=message):
        widen(small_bilm(), units)


def test_bad_models():
    for bilm in ("tiny_en", small_bilm(units=4)):
        with pytest.raises(ValueError, match="`bilm` should be .* have a projection"):
            widen(bilm, 8)
