"""Every recorded array of the authors' code, to 1e-5."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import Golden, assert_close

from keras_elmo import BiLM, ElmoEmbedding, ElmoPreprocessor, ScalarMix

SEQUENCES = ("word_emb", "lstm_outputs1", "lstm_outputs2")


def outputs_of(elmo, inputs):
    outputs = elmo(inputs)
    return [outputs[key] for key in SEQUENCES]


@pytest.mark.parametrize("batch", [0, 1])
def test_char_ids(golden, batch):
    preprocessor = ElmoPreprocessor(sentence_boundaries=True)
    char_ids = preprocessor(golden.sentences(batch))["char_ids"]
    np.testing.assert_array_equal(char_ids, golden.arrays[f"char_ids_{batch}"])


def test_mask(golden):
    for batch in (0, 1):
        elmo = ElmoEmbedding.from_hdf5(**golden.files)
        mask = elmo.compute_mask(tf.constant(golden.sentences(batch)))["elmo"]
        np.testing.assert_array_equal(mask, golden.arrays[f"mask_{batch}"])


def test_bilm_carries_state_from_batch_to_batch(golden):
    bilm = BiLM.from_hdf5(**golden.files, return_state=True)
    state = None
    for batch in (0, 1):
        layers, state = bilm(golden.arrays[f"char_ids_{batch}"], initial_state=state)
        mask = golden.arrays[f"mask_{batch}"][..., None]
        inner = [np.asarray(layer)[:, 1:-1] * mask for layer in layers]
        assert_close(inner, golden.expected(f"layers_{batch}", batch))


def test_state_matters(golden):
    """Or the test above would pass without any state."""
    carried, fresh = golden.expected("layers_1", 1), golden.expected("fresh_1", 1)
    assert np.abs(carried[2] - fresh[2]).max() > 1e-2


@pytest.mark.parametrize("jit_compile", [False, True])
def test_with_boundaries(golden, jit_compile):
    elmo = ElmoEmbedding.from_hdf5(**golden.files, jit_compile=jit_compile)
    for batch, name in ((0, "layers_0"), (1, "fresh_1")):
        outputs = outputs_of(elmo, golden.sentences(batch))
        assert_close(outputs, golden.expected(name, batch))


@pytest.mark.parametrize("form", ["tokens", "ragged", "integers"])
def test_other_forms_of_text(skip_model, form):
    """One model shows it: where tokens come from is no matter of its weights."""
    elmo = ElmoEmbedding.from_hdf5(**skip_model.files)
    for batch, name in ((0, "layers_0"), (1, "fresh_1")):
        inputs = {
            "tokens": skip_model.tokens(batch),
            "ragged": tf.ragged.constant(skip_model.batches[batch]),
            "integers": elmo.preprocessor(skip_model.sentences(batch)),
        }[form]
        assert_close(outputs_of(elmo, inputs), skip_model.expected(name, batch))


def test_without_boundaries(golden):
    elmo = ElmoEmbedding.from_hdf5(**golden.files, sentence_boundaries=False)
    mask = golden.arrays["mask_0"][..., None]
    expected = [golden.arrays[f"bare_{key}"] * mask for key in SEQUENCES]
    assert_close(outputs_of(elmo, golden.sentences(0)), expected)


def test_mix(golden):
    weights, scaling = golden.arrays["mix_weights"], golden.arrays["mix_scaling"]
    elmo = ElmoEmbedding.from_hdf5(**golden.files, output_key="elmo")
    elmo.mix.mix_weights.assign(weights)
    elmo.mix.scaling.assign(scaling)
    shares = np.exp(weights) / np.exp(weights).sum()
    word_emb, *lstm_outputs = golden.expected("layers_0", 0)
    layers = [np.concatenate([word_emb, word_emb], axis=-1), *lstm_outputs]
    expected = scaling * sum(s * x for s, x in zip(shares, layers, strict=True))
    assert_close([elmo(golden.sentences(0))], [expected])


def test_mean_over_tokens(golden):
    outputs = ElmoEmbedding.from_hdf5(**golden.files)(golden.sentences(0))
    lengths = golden.arrays["mask_0"].sum(axis=1, keepdims=True)
    expected = np.asarray(outputs["elmo"]).sum(axis=1) / lengths
    assert_close([outputs["default"]], [expected])


@pytest.mark.parametrize("clip", ["cell_clip", "proj_clip"])
def test_both_clips_act(clip):
    """Without either, the model that is clipped at 0.5 gives other numbers."""
    golden = Golden("clipped")
    options = json.loads(golden.options.read_text())
    assert options["lstm"][clip] == 0.5
    options["lstm"][clip] = None
    elmo = ElmoEmbedding.from_hdf5(options, golden.weights)
    outputs = outputs_of(elmo, golden.sentences(0))
    expected = golden.expected("layers_0", 0)
    assert_close(outputs[:1], expected[:1])
    assert np.abs(outputs[1] - expected[1]).max() > 1e-2


def test_scalar_mix_of_checkpoint_by_itself(skip_model):
    layers = [np.full((1, 1, 1), value, "float32") for value in (1.0, 10.0, 100.0)]
    mix = ScalarMix(
        initial_weights=skip_model.arrays["mix_weights"].tolist(),
        initial_scaling=float(skip_model.arrays["mix_scaling"]),
    )
    shares = np.asarray(keras.ops.softmax(skip_model.arrays["mix_weights"]))
    expected = 0.8 * (shares * [1, 10, 100]).sum()
    np.testing.assert_allclose(mix(layers).numpy().item(), expected, rtol=1e-6)
