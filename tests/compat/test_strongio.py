"""The notebook of strongio/keras-elmo, with its imports changed."""

import keras
import keras.layers as layers
import numpy as np
import pytest
import tensorflow as tf
from golden import FIXTURES, assert_close
from hub_cache import fill_hub_cache
from keras.models import Model

from keras_elmo.compat.strongio import ElmoEmbeddingLayer

SENTENCES = ["a wonderful film", "boring and far too long", "dogs", "fine ."]


def build_model():
    input_text = layers.Input(shape=(1,), dtype="string")
    embedding = ElmoEmbeddingLayer()(input_text)
    dense = layers.Dense(256, activation="relu")(embedding)
    pred = layers.Dense(1, activation="sigmoid")(dense)

    model = Model(inputs=[input_text], outputs=pred)

    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


@pytest.mark.slow
def test_the_notebook(tmp_path, monkeypatch):
    fill_hub_cache(monkeypatch, tmp_path / "hub")
    text, label = SENTENCES, [1, 0, 0, 1]
    train_text = tf.constant(np.array(text, dtype=object)[:, np.newaxis])
    train_label = tf.constant(label)
    model = build_model()
    mix = model.layers[1].elmo.mix
    before = mix.get_weights()
    model.fit(
        train_text,
        train_label,
        validation_data=(train_text, train_label),
        epochs=1,
        batch_size=32,
        verbose=0,
    )
    for old, new in zip(before, mix.get_weights(), strict=True):
        assert np.abs(old - new).max() > 1e-6
    pre_save_preds = model.predict(train_text[0:100], verbose=0)
    model.save_weights(tmp_path / "ElmoModel.weights.h5")
    model.save(tmp_path / "ElmoModel.h5")

    new_model = build_model()
    for name in ("ElmoModel.weights.h5", "ElmoModel.h5"):
        new_model.layers[1].elmo.mix.set_weights(before)
        other_preds = new_model.predict(train_text, verbose=0)
        assert np.abs(other_preds - pre_save_preds).max() > 1e-6
        new_model.load_weights(tmp_path / name)
        post_save_preds = new_model.predict(train_text[0:100], verbose=0)
        assert all(pre_save_preds == post_save_preds)

    # Nobody who loads a whole model needs the module that it was made from.
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    model.save(tmp_path / "ElmoModel.keras")
    custom_objects = {"ElmoEmbeddingLayer": ElmoEmbeddingLayer}
    loaded = keras.models.load_model(tmp_path / "ElmoModel.keras", custom_objects)
    assert_close(loaded(train_text), pre_save_preds)
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


def test_it_is_the_default_output_and_four_scalars():
    folder = FIXTURES / "skip" / "hub"
    layer = ElmoEmbeddingLayer(folder)
    expected = layer.elmo(SENTENCES)["default"]
    assert_close(layer(tf.constant(SENTENCES)[:, None]), expected)
    assert layer.compute_output_shape((4, 1)) == (4, layer.dimensions) == expected.shape
    assert sum(int(np.prod(v.shape)) for v in layer.trainable_weights) == 4
    frozen = ElmoEmbeddingLayer(folder, trainable=False)
    assert not any(v.trainable for v in frozen.weights)
