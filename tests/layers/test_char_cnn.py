import keras
import numpy as np
import oracles
import pytest

from keras_elmo import CharCNN, Highway

FILTERS = [[1, 3], [2, 4], [5, 6]]


def tokens(*texts, characters=50):
    return np.array([[oracles.char_ids(t)[:characters] for t in texts]])


def test_equals_oracle():
    encoder = CharCNN(FILTERS, 7, embedding_dim=4, activation="tanh")
    char_ids = tokens(b"", b"a", b"word", b"z" * 48, b"\xff\x00 ")
    outputs = encoder(char_ids)
    embeddings = np.asarray(encoder.embedding.embeddings)
    for ids, output in zip(char_ids[0], outputs[0], strict=True):
        maxima = [
            oracles.char_convolution(ids, embeddings, *map(np.asarray, c.weights))
            for c in encoder.convolutions
        ]
        x = np.tanh(np.concatenate(maxima))
        for layer in encoder.highways:
            gates = [*layer.carry.weights, *layer.transform.weights]
            x = oracles.highway(x, *map(np.asarray, gates))
        kernel, bias = map(np.asarray, encoder.projection.weights)
        np.testing.assert_allclose(output, x @ kernel + bias, atol=1e-5)


@pytest.mark.parametrize("length", [0, 1, 5, 42, 43, 44, 45, 46, 47, 48, 60])
def test_short_inputs_are_encoded_as_full_ones(length):
    """Also where the widest filter finds no window of nothing but padding."""
    encoder = CharCNN(FILTERS, 7)
    # Large weights for padding, so that a window too many or too few shows up.
    encoder.build((None, None, 50))
    encoder.embedding.embeddings.assign(
        np.random.default_rng(0).normal(size=(262, 16))
        * (1 + np.arange(262) // 261)[:, None]
        * 3
    )
    full = tokens(b"q" * length)
    needed = min(length + 2, 50)
    for characters in {needed, min(needed + 1, 50), min(needed + 4, 50), 50}:
        np.testing.assert_allclose(
            encoder(full[..., :characters]), encoder(full), atol=1e-5
        )


def test_no_token_is_zero_and_masked():
    encoder = CharCNN(FILTERS, 7)
    char_ids = np.concatenate([tokens(b"a"), np.zeros((1, 1, 50), int)], axis=1)
    outputs = encoder(char_ids)
    assert np.abs(outputs[0, 0]).max() > 0
    np.testing.assert_array_equal(outputs[0, 1], 0)
    mask = encoder.compute_mask(keras.ops.convert_to_tensor(char_ids))
    assert mask.numpy().tolist() == [[True, False]]


def test_projection_only_where_sizes_differ():
    assert CharCNN(FILTERS, 13).projection is None
    assert CharCNN(FILTERS, 12).projection is not None


def test_highway_equals_oracle():
    layer = Highway()
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    outputs = layer(x)
    rng = np.random.default_rng(1)
    for variable in layer.weights:
        variable.assign(rng.normal(size=variable.shape))
    gates = [*layer.carry.weights, *layer.transform.weights]
    expected = oracles.highway(x, *map(np.asarray, gates))
    assert np.abs(expected - np.asarray(outputs)).max() > 0.1
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": []}, "`filters` should be a non-empty list"),
        ({"filters": [[0, 3]]}, r"`filters`.*widths in 1..50"),
        ({"filters": [[51, 3]]}, r"`filters`.*widths in 1..50"),
        ({"filters": [3]}, "`filters` should be a non-empty list"),
        ({"projection_dim": 0}, "`projection_dim` should be a positive integer"),
        ({"num_highway_layers": -1}, "`num_highway_layers` should be a positive"),
        ({"activation": "nonsense"}, "`activation` should be the name.*'nonsense'"),
        ({"max_characters": "50"}, "`max_characters` should be a positive integer"),
        ({"filters": [[1.7, 4]]}, "`filters` should be a non-empty list"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CharCNN(**{"filters": FILTERS, "projection_dim": 4, **arguments})


def test_bad_inputs():
    encoder = CharCNN(FILTERS, 7)
    with pytest.raises(ValueError, match="should be character ids"):
        encoder(np.ones((1, 2, 50), "float32"))
    with pytest.raises(ValueError, match="at most `max_characters`"):
        encoder(np.ones((1, 2, 51), "int32"))


def test_the_embedding_of_the_word_comes_before_the_filters():
    encoder = CharCNN(FILTERS, 7, num_words=3, word_embedding_dim=2)
    plain = CharCNN(FILTERS, 13)  # without a projection
    char_ids = tokens(b"a", b"word", b"a")
    word_ids = np.array([[1, 3, 2]])
    encoder.build((None, None, 51))
    plain.build((None, None, 50))
    assert plain.projection is None
    plain.set_weights(
        [v.numpy() for v in encoder.weights if "word" not in v.path][
            : len(plain.weights)
        ]
    )
    outputs = encoder(np.concatenate([word_ids[..., None], char_ids], axis=-1))
    kernel, bias = map(np.asarray, encoder.projection.weights)
    words = np.asarray(encoder.word_embedding.embeddings)[word_ids]
    expected = np.concatenate([words, plain(char_ids)], axis=-1) @ kernel + bias
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert np.abs(outputs[0, 0] - outputs[0, 2]).max() > 1e-3
    short = np.concatenate([word_ids[..., None], char_ids[..., :6]], axis=-1)
    np.testing.assert_allclose(encoder(short), outputs, atol=1e-5)
    assert np.all(encoder(np.zeros((1, 2, 51), int)) == 0)


def test_a_projection_that_words_make_needed_or_not():
    assert CharCNN([[1, 6]], 6, num_words=3, word_embedding_dim=2).projection
    assert CharCNN([[1, 6]], 8, num_words=3, word_embedding_dim=2).projection is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_words": -1}, "`num_words` should be"),
        ({"num_words": True}, "`num_words` should be"),
        ({"word_embedding_dim": 0}, "`word_embedding_dim` should be"),
        ({"num_characters": 261}, "`num_characters` should be at least 262"),
    ],
)
def test_vocabularies_that_are_none(arguments, message):
    with pytest.raises(ValueError, match=message):
        CharCNN(FILTERS, 7, **arguments)


def test_more_ids_than_a_token_and_its_word_have():
    encoder = CharCNN(FILTERS, 7, num_words=3)
    with pytest.raises(ValueError, match=r"with `num_words` \(51\).*52"):
        encoder(np.ones((1, 1, 52), int))
