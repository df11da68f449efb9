import numpy as np
import pytest
import tensorflow as tf
from models import skip_elmo

from keras_elmo.examples.imdb.classifier import Classifier
from keras_elmo.examples.imdb.heads import HEADS


@pytest.mark.parametrize("words", [None, {"vocabulary": ["the"], "dim": 3}])
@pytest.mark.parametrize("head", HEADS)
def test_a_batch_of_empty_reviews(head, words):
    elmo = skip_elmo(output_key="elmo")
    model = Classifier(elmo, head, max_tokens=4, seed=1, words=words).on_text
    beside = model.predict(tf.constant(["", "the cat"]), verbose=0)
    alone = model.predict(tf.constant(["", "<br />"]), verbose=0)
    np.testing.assert_allclose(alone, beside[[0, 0]], atol=1e-6)
    assert np.isfinite(alone).all()


def test_one_layer_is_read_alone():
    elmo = skip_elmo(output_key="elmo")
    alone = Classifier(elmo, "mean", max_tokens=4, seed=1, layer=1)
    dim = 2 * elmo.bilm.projection_dim
    vectors = np.random.default_rng(1).normal(size=(2, 3, 4, dim)).astype("float32")
    tokens = np.full((2, 4), "the", dtype=object)

    def predict(*changed):
        noise = vectors.copy()
        noise[:, changed] = 5.0
        return np.array(alone.on_vectors({"vectors": noise, "tokens": tokens}))

    np.testing.assert_array_equal(predict(0, 2), predict())
    assert np.abs(predict(1) - predict()).max() > 1e-3
    names = {variable.path for variable in alone.on_text.trainable_variables}
    assert names and not any("mix" in name for name in names)
    with pytest.raises(ValueError, match="from 0 to 2. Received: layer=3"):
        Classifier(elmo, "mean", max_tokens=4, seed=1, layer=3)
