import dataclasses

import numpy as np
import pytest

from keras_elmo.layers.scalar_mix import ScalarMix
from keras_elmo.weights.formats import allennlp


@pytest.fixture
def stored(skip_model):
    return allennlp.open_pair(*skip_model.files.values())


@pytest.fixture
def mix():
    mix = ScalarMix(num_layers=3)
    mix.build([(None, None, 4)] * 3)
    return mix


def test_mix(stored, mix):
    stored.fill_mix(mix)
    np.testing.assert_array_equal(mix.weights[0], [0, 0, 0])
    held = {"weights": [1, 2.5, -3], "scaling": 2}
    dataclasses.replace(stored, mix=held).fill_mix(mix)
    np.testing.assert_array_equal(mix.weights[0], [1, 2.5, -3])
    np.testing.assert_array_equal(mix.weights[1], 2)


@pytest.mark.parametrize(
    "weights, scaling",
    [
        ([1, 2], 1),
        ([1, 2, "x"], 1),
        ([1, 2, [3]], 1),
        ([1, 2, 3], None),
        ([1, 2, float("nan")], 1),
        ([1, 2, 1e300], 1),
    ],
)
def test_a_mix_that_does_not_fit(stored, mix, weights, scaling):
    wrong = dataclasses.replace(stored, mix={"weights": weights, "scaling": scaling})
    with pytest.raises(ValueError, match=r"options\.json` should hold 3 finite"):
        wrong.fill_mix(mix)
    np.testing.assert_array_equal(mix.weights[0], [0, 0, 0])


def test_a_mix_that_is_not_finite_by_request(stored, mix):
    held = {"weights": [1, 2, float("nan")], "scaling": 1}
    dataclasses.replace(stored, mix=held).fill_mix(mix, allow_nan=True)
    assert np.isnan(mix.weights[0][2])
