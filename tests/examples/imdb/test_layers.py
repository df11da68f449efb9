import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_elmo.examples.imdb.heads import HEADS, apply_head, make_head
from keras_elmo.examples.imdb.layers import (
    FirstTokens,
    Pooling,
    WordEmbedding,
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
def test_dropout_leaves_dimensions_out_in_training_alone(name):
    sequence, mask = masked_inputs()
    plain = model_of(make_head(name, seed=1))
    expected = plain.predict([sequence, mask], verbose=0)
    model = model_of(make_head(name, seed=1, dropout=0.4))
    model.set_weights(plain.get_weights())
    actual = model.predict([sequence, mask], verbose=0)
    np.testing.assert_array_equal(actual, expected)
    (layer,) = (
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Dropout | keras.layers.SpatialDropout1D)
        and layer.rate == 0.4
    )
    shape = (50, 6) if name == "mean" else (50, 5, 6)
    dropped = np.asarray(layer(np.ones(shape, "float32"), training=True)) == 0
    assert 0.3 < dropped.mean() < 0.5
    # A dimension is there for all tokens of a review, or for none of them.
    assert name == "mean" or (dropped == dropped[:, :1]).all()


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


def test_a_pooling_twice():
    sequence, mask = masked_inputs()
    once, twice = (
        Pooling(parts)(sequence, mask=mask) for parts in (["max"], ["max"] * 2)
    )
    np.testing.assert_array_equal(twice, np.concatenate([once, once], axis=1))


def test_poolings_that_are_none():
    with pytest.raises(ValueError, match="`parts` should be"):
        Pooling(["first"])


def test_words_have_an_embedding_each_and_unknown_ones_share_one():
    layer = WordEmbedding(["good", "\u00e9t\u00e9"], 4)
    tokens = tf.constant([["Good", "film", ""], ["good", "\u00c9T\u00c9", "plot"]])
    vectors = np.asarray(layer(tokens))
    assert vectors.shape == (2, 3, 4)
    np.testing.assert_array_equal(vectors[0, 0], vectors[1, 0])
    np.testing.assert_array_equal(vectors[0, 1], vectors[1, 2])
    assert len(np.unique(vectors.reshape(6, 4), axis=0)) == 4  # with that of no token


def test_words_saved_and_loaded(tmp_path):
    tokens = keras.Input((None,), dtype="string")
    words = WordEmbedding(["good", "bad"], 4)(tokens)
    model = keras.Model(tokens, keras.layers.GlobalMaxPooling1D()(words))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    texts = tf.constant([["Bad", "film"], ["good", ""]])
    np.testing.assert_array_equal(loaded(texts), model(texts))


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
