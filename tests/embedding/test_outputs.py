"""What comes out of an `ElmoEmbedding`."""

import numpy as np
import pytest
from models import TEXT, skip_elmo, small_bilm

from keras_elmo import ElmoEmbedding


def test_outputs(frozen_elmo):
    outputs = frozen_elmo(list(TEXT))
    shapes = {key: tuple(value.shape) for key, value in outputs.items()}
    assert shapes == {
        "word_emb": (4, 6, 12),
        "lstm_outputs1": (4, 6, 24),
        "lstm_outputs2": (4, 6, 24),
        "elmo": (4, 6, 24),
        "default": (4, 24),
    }
    lengths = [6, 1, 0, 2]
    for key in list(outputs)[:-1]:
        for row, length in enumerate(lengths):
            assert (outputs[key][row, :length] != 0).numpy().any(axis=-1).all()
            np.testing.assert_array_equal(outputs[key][row, length:], 0)
    np.testing.assert_array_equal(outputs["default"][2], 0)


@pytest.mark.parametrize("key", ["word_emb", "lstm_outputs2", "default"])
def test_output_key(frozen_elmo, key):
    expected = frozen_elmo(list(TEXT))[key]
    np.testing.assert_array_equal(skip_elmo(output_key=key)(list(TEXT)), expected)


def test_three_layers_have_three_outputs():
    elmo = ElmoEmbedding(small_bilm(num_layers=3))
    assert list(elmo(["a"]))[1:4] == [f"lstm_outputs{k}" for k in (1, 2, 3)]
    assert elmo.mix.mix_weights.shape == (4,)
