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
