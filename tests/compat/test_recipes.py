"""The paper's ways of using ELMo in a model, section 3.3, in public parts alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from models import skip_elmo

from keras_elmo import ScalarMix

JOINS_MASKS = pytest.mark.skipif(
    [int(number) for number in keras.version().split(".")[:2]] < [3, 12],
    reason="older releases of Keras can't concatenate sequences with masks",
)
WORDS = ["the", "cat", "is", "on", "mat", "dogs"]
SENTENCES = {
    "tokens": tf.constant(
        [["the", "cat", "is", "on", "the", "mat"], ["dogs", "are", "in", "", "", ""]]
    ),
    "sequence_len": tf.constant([6, 3]),
}
TAGS = np.array([[0, 1, 2, 2, 0, 1], [1, 2, 2, 0, 0, 0]])


def token_inputs():
    return {
        "tokens": keras.Input((None,), dtype="string", name="tokens"),
        "sequence_len": keras.Input((), dtype="int32", name="sequence_len"),
    }


def word_vectors(tokens):
    """x: one vector a word whatever its context, such as GloVe's."""
    numbers = keras.layers.StringLookup(vocabulary=WORDS, mask_token="")(tokens)
    return keras.layers.Embedding(len(WORDS) + 2, 5, mask_zero=True)(numbers)


def layers_of(outputs):
    """What a `ScalarMix` mixes."""
    doubled = keras.layers.Concatenate()([outputs["word_emb"]] * 2)
    return [doubled, outputs["lstm_outputs1"], outputs["lstm_outputs2"]]


def tagger(elmo, mix):
    """[x; ELMo] at the input of a biLSTM, and [h; ELMo] at its output."""
    inputs = token_inputs()
    outputs = elmo(inputs)
    x = keras.layers.Concatenate()([word_vectors(inputs["tokens"]), outputs["elmo"]])
    lstm = keras.layers.LSTM(4, return_sequences=True)
    h = keras.layers.Bidirectional(lstm)(x)
    h = keras.layers.Concatenate()([h, mix(layers_of(outputs))])
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model


def counted_runs(elmo):
    """A number that goes up whenever its biLM runs, in graphs too."""
    runs = tf.Variable(0)
    call = elmo.bilm.call

    def counted(*args, **kwargs):
        runs.assign_add(1)
        return call(*args, **kwargs)

    elmo.bilm.call = counted
    return runs


@pytest.mark.slow
@JOINS_MASKS
def test_input_and_output_with_a_mix_each_over_one_run(tmp_path):
    elmo = skip_elmo()
    runs = counted_runs(elmo)
    mix = ScalarMix(name="second_mix")
    model = tagger(elmo, mix)
    runs.assign(0)
    model.fit(SENTENCES, TAGS, batch_size=1, verbose=0)
    assert runs.numpy() == 2  # There are two steps, and two mixes in each.

    first, second = elmo.mix.get_weights(), mix.get_weights()
    assert all(np.abs(weights).max() > 1e-4 for weights in (first[0], second[0]))
    assert np.abs(first[0] - second[0]).max() > 1e-4
    assert first[1] != 1 and second[1] != 1

    expected = model(SENTENCES)
    alone = {"tokens": [["dogs", "are", "in"]], "sequence_len": [3]}
    alone = {name: tf.constant(value) for name, value in alone.items()}
    assert_close(model(alone), expected[1:, :3])
    model.save(tmp_path / "tagger.keras")
    loaded = keras.models.load_model(tmp_path / "tagger.keras")
    assert_close(loaded(SENTENCES), expected)


def test_a_second_mix_is_what_the_paper_says(frozen_elmo):
    layers = layers_of(frozen_elmo(SENTENCES))
    mix = ScalarMix(initial_weights=[0.5, -1.0, 2.0], initial_scaling=0.3)
    shares = np.exp([0.5, -1.0, 2.0]) / np.exp([0.5, -1.0, 2.0]).sum()
    expected = 0.3 * sum(s * layer for s, layer in zip(shares, layers, strict=True))
    assert_close(mix(layers), expected)


def test_lambda_of_both_mixes():
    """The paper's lambda times the squares of the weights before the softmax."""
    elmo = skip_elmo(mix_regularizer=keras.regularizers.L2(0.01))
    mix = ScalarMix(
        initial_weights=[0.5, -1.0, 2.0],
        weights_regularizer=keras.regularizers.L2(0.1),
    )
    elmo.mix.mix_weights.assign([1.0, 2.0, 3.0])
    model = tagger(elmo, mix)
    penalties = sorted(float(loss) for loss in model.losses)
    np.testing.assert_allclose(penalties, [0.01 * 14, 0.1 * 5.25], rtol=1e-6)


@pytest.mark.slow
def test_the_top_layer_alone():
    # A mix has nothing left to train, so Keras would warn of missing gradients.
    elmo = skip_elmo(output_key="lstm_outputs2", trainable=False)
    inputs = token_inputs()
    top = elmo(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(top))
    assert len(model.trainable_variables) == 2  # of the dense layer
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(SENTENCES, TAGS, verbose=0)
