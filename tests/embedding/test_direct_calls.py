"""A direct call runs in one graph, and computes where there are tokens alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from models import TEXT, skip_bilm, skip_elmo, small_bilm

from keras_elmo import ElmoEmbedding
from keras_elmo.embedding.computation import Computation

TOKENS = tf.constant([["the", "cat"], ["dogs", ""]])
LENGTHS = tf.constant([2, 1])


@pytest.fixture
def lengths_of_batches(monkeypatch):
    """The `time` of what the biLM is called with, one a trace or call."""
    times = []
    of_encoded = Computation.of_encoded

    def spy(self, encoded, *args, **kwargs):
        times.append(encoded["token_index"])
        return of_encoded(self, encoded, *args, **kwargs)

    monkeypatch.setattr(Computation, "of_encoded", spy)
    return times


def test_one_graph_serves_all_sizes(lengths_of_batches):
    elmo = skip_elmo()
    for text in (["a"], ["a b c", "d"], [""], TEXT):
        elmo(text)
    assert len(lengths_of_batches) == 1


def test_equals_a_graph(frozen_elmo):
    for inputs in (tf.constant(TEXT), frozen_elmo.preprocessor(TEXT)):
        assert_close(frozen_elmo(inputs), tf.function(frozen_elmo)(inputs))


@pytest.mark.parametrize("form", ["tokens", "distinct", "dense"])
def test_padding_is_not_computed(form, lengths_of_batches):
    elmo = skip_elmo(dropout=0.5)  # with which it runs op by op, when training
    preprocessor = elmo.preprocessor
    preprocessor.distinct = form == "distinct"
    short = {"tokens": TOKENS, "sequence_len": LENGTHS}
    padded = {**short, "tokens": tf.pad(TOKENS, [[0, 0], [0, 98]])}
    if form != "tokens":
        short, padded = preprocessor(short), preprocessor(padded)
    elmo(padded, training=True)
    assert lengths_of_batches[-1].shape[1] == 4  # two tokens and their boundaries
    long, expected = elmo(padded), elmo(short)
    for name in expected.keys() - {"default"}:
        assert long[name].shape[1] == 100
        np.testing.assert_array_equal(long[name][:, 2:], 0)
        np.testing.assert_allclose(long[name][:, :2], expected[name], atol=1e-6)
    np.testing.assert_allclose(long["default"], expected["default"], atol=1e-6)
    sums = keras.layers.GlobalAveragePooling1D()(long["elmo"])  # by the mask
    np.testing.assert_allclose(sums, expected["default"], atol=1e-5)


def test_mistakes_are_told_as_without_a_graph():
    elmo = skip_elmo()
    elmo({"tokens": TOKENS, "sequence_len": LENGTHS})  # the graph is there
    with pytest.raises(ValueError, match=r"in 0\.\.2 .* Received: 3 at row 1"):
        elmo({"tokens": TOKENS, "sequence_len": [2, 3]})
    with pytest.raises(ValueError, match=r"shape \(1, 1, 1\)"):
        elmo(tf.constant([[["a"]]]))


def test_dropout_changes_from_call_to_call():
    elmo = skip_elmo(dropout=0.5, output_key="default")
    first, second = (elmo(TEXT, training=True).numpy() for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(elmo(TEXT), elmo(TEXT))


def test_weights_are_those_of_the_call():
    elmo = skip_elmo(output_key="elmo")
    before = elmo(TEXT).numpy()
    others = [tensor.value * 2 for tensor in elmo.trainable_variables]
    frozen = [tensor.value for tensor in elmo.non_trainable_variables]
    doubled, _ = elmo.stateless_call(others, frozen, tf.constant(TEXT))
    assert np.abs(doubled - before).max() > 1e-3
    np.testing.assert_array_equal(elmo(TEXT), before)
    elmo.mix.scaling.assign(2.0)
    np.testing.assert_allclose(elmo(TEXT), 2 * before, rtol=1e-6)


def test_models_of_other_sizes_do_not_matter():
    """No tokens at all need sizes that are known beforehand."""
    for bilm in (skip_bilm(), small_bilm()):
        ElmoEmbedding(bilm)(["a b"])
        outputs = ElmoEmbedding(bilm, sentence_boundaries=False)(["", ""])
        assert outputs["elmo"].shape == (2, 1, 2 * bilm.projection_dim)
        np.testing.assert_array_equal(outputs["elmo"], 0)
