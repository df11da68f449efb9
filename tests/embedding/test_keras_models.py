"""An embedding as a layer among others: masks, `fit`, and what Keras takes as text."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE, assert_close
from models import LABELS, TEXT, classifier, sequence_classifier, small_elmo

from keras_elmo.text import tokenizers


@pytest.fixture
def tokenized(monkeypatch):
    """Counts how often text is split."""
    calls = []

    def split(sentences):
        calls.append(sentences)
        return tf.strings.split(sentences)

    monkeypatch.setitem(tokenizers.TOKENIZERS, "space", split)
    return calls


def test_text_is_read_once(tokenized):
    small_elmo()(TEXT)  # a graph is made of it, once
    assert len(tokenized) == 1
    model = classifier()
    tokenized.clear()
    model(tf.constant(TEXT))
    assert len(tokenized) == 1


def test_a_functional_model_shows_one_layer():
    model = classifier()
    assert len(model.layers) == 3  # input, ELMo, Dense
    copy = keras.models.clone_model(model)
    assert len(copy.layers) == 3


@pytest.mark.parametrize("form", ["sentences", "ragged", "integers"])
def test_outputs_carry_their_mask(form):
    """In a direct call and in a graph, a layer that follows sees it."""
    elmo, lstm = small_elmo(output_key="elmo"), keras.layers.LSTM(3)
    expected = np.concatenate([lstm(elmo([text])) for text in TEXT[[0, 1, 3]]])
    inputs = {
        "sentences": tf.constant(TEXT),
        "ragged": tf.ragged.constant([text.split() for text in TEXT]),
        "integers": elmo.preprocessor(TEXT),
    }[form]
    eager = lstm(elmo(inputs))
    traced = tf.function(lambda inputs: lstm(elmo(inputs)))(inputs)
    for outputs in (eager, traced):
        np.testing.assert_allclose(outputs.numpy()[[0, 1, 3]], expected, **TOLERANCE)


def test_lengths_that_are_known_stay_known():
    inputs = {
        "tokens": keras.Input((7,), dtype="string"),
        "sequence_len": keras.Input((), dtype="int32"),
    }
    outputs = small_elmo()(inputs)
    assert outputs["word_emb"].shape[:2] == outputs["elmo"].shape[:2] == (None, 7)


def test_mask_reaches_a_following_lstm():
    model = sequence_classifier()
    alone = model(tf.constant(["dogs"]))
    np.testing.assert_allclose(model(tf.constant(TEXT))[1:2], alone, **TOLERANCE)


def test_empty_text_passes_through_a_following_lstm():
    assert np.isfinite(sequence_classifier()(tf.constant(["", ""]))).all()


def test_mask_is_that_of_the_tokens(frozen_elmo):
    masks = frozen_elmo.compute_mask(tf.constant(TEXT))
    assert masks["default"] is None
    expected = np.arange(6) < np.array([6, 1, 0, 2])[:, None]
    for inputs in (tf.constant(TEXT), frozen_elmo.preprocessor(TEXT)):
        np.testing.assert_array_equal(
            frozen_elmo.compute_mask(inputs)["elmo"], expected
        )


@pytest.fixture(scope="module")
def models():
    """By the rank of the text: one graph of Keras is not made for both ranks.

    They are trained by one test after another, so that graphs are made once.
    """
    return {rank: sequence_classifier() for rank in (1, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["array", "tensor", "column", "dataset", "batches"])
def test_fit_evaluate_predict(models, form):
    text = {
        "array": TEXT,
        "tensor": tf.constant(TEXT),
        "column": tf.constant(TEXT)[:, None],
        "dataset": tf.constant(TEXT),
        "batches": tf.constant(TEXT)[:, None],
    }[form]
    model = models[text.ndim]
    before = model(tf.constant(TEXT))
    if form in ("dataset", "batches"):
        data = tf.data.Dataset.from_tensor_slices((text, LABELS)).batch(3)
        model.fit(data, verbose=0)
        loss = model.evaluate(data, verbose=0)
        after = model.predict(data.map(lambda x, y: x), verbose=0)
    else:
        model.fit(text, LABELS, batch_size=3, verbose=0)
        loss = model.evaluate(text, LABELS, verbose=0)
        after = model.predict(text, verbose=0)
    assert np.abs(after - before).max() > 1e-6
    np.testing.assert_allclose(loss, ((after[:, 0] - LABELS) ** 2).mean(), rtol=1e-3)


# Keras refuses these forms of text, but `tf.constant` makes a tensor of each.
REFUSED = {
    "list": lambda: list(TEXT),
    "fixed width": lambda: TEXT.astype(str),
    "series": lambda: importlib.import_module("pandas").Series(TEXT),
    "column": lambda: TEXT[:, None],
}
SERIES = pytest.param(
    "series",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("pandas") is None, reason="pandas is not installed"
    ),
)
KERAS = [int(number) for number in keras.version().split(".")[:2]]
OLDER_KERAS = pytest.mark.skipif(
    KERAS < [3, 15],
    reason="older releases of Keras take (n, 1) object arrays",
)


def test_joined_outputs_keep_their_mask():
    """Keras from 3.12 on records it, and older ones find it when they run."""
    text = keras.Input((), dtype="string")
    outputs = small_elmo()(text)
    assert getattr(outputs["default"], "_keras_mask", None) is None
    joined = keras.layers.Concatenate()([outputs["elmo"], outputs["lstm_outputs1"]])
    sequence = keras.Model(text, joined)(tf.constant(TEXT))
    expected = np.arange(6) < np.array([[6], [1], [0], [2]])
    np.testing.assert_array_equal(sequence._keras_mask, expected)
    if KERAS >= [3, 12]:
        mask = keras.Model(text, joined._keras_mask)(tf.constant(TEXT))
        np.testing.assert_array_equal(mask, expected)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["list", "fixed width", SERIES, "column"])
def test_converted_text_is_taken(models, form):
    """As the tensor that `test_fit_evaluate_predict` trains on."""
    text = REFUSED[form]()
    converted = tf.constant(text)
    expected = tf.constant(TEXT)[:, None] if form == "column" else tf.constant(TEXT)
    np.testing.assert_array_equal(converted, expected)
    model = models[converted.ndim]
    predicted = model.predict(converted, verbose=0)
    assert_close(predicted, model(tf.constant(TEXT)))
    labels = type(text)(LABELS) if form == "series" else list(LABELS)
    np.testing.assert_array_equal(tf.constant(labels), LABELS)


@pytest.mark.parametrize(
    "form",
    ["list", "fixed width", SERIES, pytest.param("column", marks=OLDER_KERAS)],
)
def test_what_keras_itself_refuses(form):
    """The README tells of these, and how to convert them."""
    text = REFUSED[form]()
    model = classifier()
    message = {
        "list": "Unrecognized data type: x=",
        "fixed width": "(?i)<U|invalid dtype: str",
        "series": "(?i)invalid dtype",
        "column": "(?i)object",
    }[form]
    for method in (model.fit, model.evaluate):
        with pytest.raises(Exception, match=message):
            method(text, LABELS, verbose=0)
    with pytest.raises(Exception, match=message):
        model.predict(text, verbose=0)


def test_keras_refuses_a_list_of_labels():
    """The README says to make tensors of them."""
    model = classifier()
    for method in (model.fit, model.evaluate):
        with pytest.raises((IndexError, ValueError), match="index out of|Unrecog"):
            method(TEXT, list(LABELS), verbose=0)


@pytest.mark.slow
def test_column_input_and_sequential():
    elmo = small_elmo(output_key="default")
    text = keras.Input((1,), dtype="string")
    functional = keras.Model(text, elmo(text))
    sequential = keras.Sequential([keras.Input((), dtype="string"), elmo])
    column = functional.predict(tf.constant(TEXT)[:, None], verbose=0)
    np.testing.assert_allclose(sequential.predict(TEXT, verbose=0), column, **TOLERANCE)


def test_sequential_without_an_input():
    """Keras takes its input for numbers, so the error says what to add."""
    model = keras.Sequential([small_elmo(output_key="default"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="(?s)Sequential.*keras.Input"):
        model.fit(TEXT, LABELS, verbose=0)


def test_tokens_in_a_functional_model():
    inputs = {
        "tokens": keras.Input((None,), dtype="string", name="tokens"),
        "sequence_len": keras.Input((), dtype="int32", name="sequence_len"),
    }
    elmo = small_elmo()
    model = keras.Model(inputs, elmo(inputs)["default"])
    rows = {"tokens": [["a", "b"], ["c", ""]], "sequence_len": [2, 1]}
    rows = {key: tf.constant(value) for key, value in rows.items()}
    expected = elmo(["a b", "c"])["default"]
    np.testing.assert_allclose(model.predict(rows, verbose=0), expected, **TOLERANCE)


def test_integers_in_a_functional_model():
    elmo = small_elmo()
    integers = elmo.preprocessor(TEXT)
    inputs = {
        key: keras.Input(batch_shape=[None] * len(value.shape), dtype="int32", name=key)
        for key, value in integers.items()
    }
    model = keras.Model(inputs, elmo(inputs)["elmo"])
    np.testing.assert_allclose(model(integers), elmo(TEXT)["elmo"], **TOLERANCE)


def test_preprocessor_as_a_layer_of_a_functional_model():
    elmo = small_elmo(output_key="default")
    text = keras.Input((), dtype="string")
    model = keras.Model(text, elmo(elmo.preprocessor(text)))
    np.testing.assert_allclose(model.predict(TEXT, verbose=0), elmo(TEXT), **TOLERANCE)
