import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_elmo.examples.imdb.heads import HEADS, apply_head, make_head
from keras_elmo.examples.imdb.layers import (
    FirstTokens,
    Pooling,
    first_tokens,
)
from keras_elmo.layers import AttachMask

LENGTHS = np.array([5, 2, 1])


def masked_inputs(padding=0.0):
    sequence = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
    mask = np.arange(5) < LENGTHS[:, None]
    return np.where(mask[..., None], sequence, padding).astype("float32"), mask


def model_of(layers):
    sequence, mask = keras.Input((None, 6)), keras.Input((None,), dtype="bool")
    # The mask goes to what is computed here, since inputs should carry none.
    computed = keras.layers.Rescaling(1.0)(sequence)
    output = apply_head(layers, AttachMask()([computed, mask]))
    return keras.Model([sequence, mask], output)


@pytest.mark.parametrize("name", HEADS)
def test_padding_does_not_count(name):
    model = model_of(make_head(name, seed=1))
    sequence, mask = masked_inputs()
    expected = model.predict([sequence, mask], verbose=0)
    assert expected.shape == (3, 1) and len(np.unique(expected)) == 3
    other, _ = masked_inputs(padding=7.0)
    np.testing.assert_allclose(
        model.predict([other, mask], verbose=0), expected, atol=1e-6
    )
    for row, length in enumerate(LENGTHS):
        one = sequence[row : row + 1, :length], mask[row : row + 1, :length]
        actual = model.predict(list(one), verbose=0)
        np.testing.assert_allclose(actual, expected[row : row + 1], atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_seed_decides_the_weights(name):
    def weights(seed):
        return model_of(make_head(name, seed)).get_weights()

    for left, right in zip(weights(1), weights(1), strict=True):
        np.testing.assert_array_equal(left, right)
    pairs = zip(weights(1), weights(2), strict=True)
    assert any((left != right).any() for left, right in pairs)


@pytest.mark.parametrize("name", HEADS)
def test_saved_and_loaded(name, tmp_path):
    model = model_of(make_head(name, seed=1))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = list(masked_inputs())
    np.testing.assert_array_equal(
        loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )


def test_poolings_equal_numpy():
    sequence, mask = masked_inputs(padding=7.0)
    pooled = Pooling()(sequence, mask=mask)
    for row, length in enumerate(LENGTHS):
        tokens = sequence[row, :length]
        parts = [tokens[-1], tokens.max(0), tokens.mean(0)]
        np.testing.assert_allclose(pooled[row], np.concatenate(parts), atol=1e-6)
    some = Pooling(["mean", "last"])(sequence, mask=mask)
    expected = np.concatenate([pooled[:, 12:], pooled[:, :6]], axis=1)
    np.testing.assert_array_equal(some, expected)
    np.testing.assert_allclose(Pooling(["max"])(sequence), sequence.max(1), atol=1e-6)


def test_pooling_of_nothing_is_zero():
    nothing = np.zeros((1, 2), bool)
    pooled = Pooling()(np.full((1, 2, 3), 5.0, "float32"), mask=nothing)
    np.testing.assert_array_equal(pooled, np.zeros((1, 9)))


def test_poolings_that_are_none():
    with pytest.raises(ValueError, match="`parts` should be"):
        Pooling(["first"])


def test_first_tokens_are_those_of_the_layer():
    texts = [
        "It's<br />a film, isn't it?",
        "",
        "One.",
    ] * 400  # more than one call splits
    joined = first_tokens(texts, 4)
    assert joined[:3] == ["It 's a film", "", "One ."] and len(joined) == 1200
    outputs = FirstTokens(4)(tf.constant(texts))
    assert outputs["sequence_len"].numpy().tolist() == [4, 0, 2] * 400
    rows = tf.RaggedTensor.from_tensor(outputs["tokens"], outputs["sequence_len"])
    assert [b" ".join(row).decode() for row in rows.to_list()] == joined
