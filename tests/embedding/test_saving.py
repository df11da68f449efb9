"""Keras' own files, and copies."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import LABELS, TEXT, classifier, small_elmo

from keras_elmo import ElmoEmbedding


@pytest.mark.slow
@pytest.mark.parametrize(("jit_compile", "finetune"), [(True, None), (False, "lstm")])
def test_keras_file(tmp_path, jit_compile, finetune):
    model = classifier(finetune=finetune, jit_compile=jit_compile)
    model.fit(TEXT, LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.predict(TEXT, verbose=0)
    np.testing.assert_array_equal(loaded.predict(TEXT, verbose=0), expected)
    count = len(model.trainable_variables)
    assert len(loaded.trainable_variables) == count
    assert loaded.fit(TEXT, LABELS, verbose=0).history["loss"][0] > 0


@pytest.mark.slow
def test_weights_file(tmp_path):
    model, other = classifier(), classifier()
    model.fit(TEXT, LABELS, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(
        other.predict(TEXT, verbose=0), model.predict(TEXT, verbose=0)
    )


@pytest.mark.slow
def test_clone_model():
    model = classifier()
    clone = keras.models.clone_model(model)
    assert len(clone.trainable_variables) == len(model.trainable_variables)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        clone.predict(TEXT, verbose=0), model.predict(TEXT, verbose=0)
    )


@pytest.mark.slow
def test_two_mixes_of_one_bilm(tmp_path):
    first = small_elmo(output_key="default")
    second = ElmoEmbedding(first.bilm, output_key="default")
    assert second.sentence_boundaries
    text = keras.Input((), dtype="string")
    model = keras.Model(text, keras.layers.Concatenate()([first(text), second(text)]))
    assert len(model.trainable_variables) == 4
    assert model.count_params() == first.count_params() + 3
    second.mix.mix_weights.assign([1.0, -1.0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.predict(TEXT, verbose=0)
    assert np.abs(expected[:, :8] - expected[:, 8:]).max() > 1e-3
    np.testing.assert_array_equal(loaded.predict(TEXT, verbose=0), expected)
    assert loaded.layers[1].bilm is loaded.layers[2].bilm


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """With a layer after ELMo, whose weights Keras has to make before it loads them."""

    def __init__(self, elmo, **kwargs):
        super().__init__(**kwargs)
        self.elmo = elmo
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(self.elmo(inputs))

    def get_config(self):
        elmo = keras.saving.serialize_keras_object(self.elmo)
        return {**super().get_config(), "elmo": elmo}

    @classmethod
    def from_config(cls, config):
        elmo = keras.saving.deserialize_keras_object(config.pop("elmo"))
        return cls(elmo, **config)


@pytest.mark.filterwarnings("error:Model .* had a build config")
@pytest.mark.parametrize("form", ["sentences", "tokens", "integers"])
def test_inside_a_subclassed_model(tmp_path, form):
    """Keras builds it by a trace on numbers of the recorded shapes."""
    elmo = small_elmo(output_key="default")
    inputs = {
        "sentences": tf.constant(TEXT),
        "tokens": {
            "tokens": tf.constant([["a", "b"], ["c", ""]]),
            "sequence_len": tf.constant([2, 1]),
        },
        "integers": elmo.preprocessor(TEXT),
    }[form]
    model = Subclassed(elmo)
    expected = model(inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(inputs), expected)
