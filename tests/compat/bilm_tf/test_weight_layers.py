import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from refusal import refused

from keras_elmo.compat.bilm_tf import (
    Batcher,
    BidirectionalLanguageModel,
    TokenBatcher,
    dump_token_embeddings,
    weight_layers,
)


def test_weights_are_those_of_the_recorded_mix(skip_files, fresh):
    model, outputs = fresh
    weights = skip_files.golden.arrays["mix_weights"]
    scaling = skip_files.golden.arrays["mix_scaling"]
    layers = skip_files.masked("layers_0", 0)
    weighted = weight_layers("input", outputs)["weighted_op"]
    assert_close(weighted, layers.mean(axis=1))
    model.mixes["input"].mix_weights.assign(weights)
    model.mixes["input"].scaling.assign(scaling)
    shares = np.exp(weights) / np.exp(weights).sum()
    expected = scaling * np.tensordot(layers, shares, (1, 0))
    assert_close(weight_layers("input", outputs)["weighted_op"], expected)
    # Another name has weights of its own.
    other = weight_layers("output", outputs)["weighted_op"]
    assert_close(other, layers.mean(axis=1))


def test_top_layer_alone(skip_files, fresh):
    model, outputs = fresh
    chosen = {"use_top_only": True, "l2_coef": 1.0, "do_layer_norm": True}
    results = weight_layers("top", outputs, **chosen)
    assert_close(results["weighted_op"], skip_files.masked("layers_0", 0)[:, -1])
    model.mixes["top"].mix_weights.assign([5.0])
    model.mixes["top"].scaling.assign(2.0)
    results = weight_layers("top", outputs, **chosen)
    expected = 2 * skip_files.masked("layers_0", 0)[:, -1]
    assert_close(results["weighted_op"], expected)
    assert float(results["regularization_op"]) == 0


def test_layer_normalisation_is_over_the_tokens_of_the_batch(skip_files, fresh):
    _, outputs = fresh
    mask = skip_files.golden.arrays["mask_0"]
    normalised = []
    for layer in np.moveaxis(skip_files.masked("layers_0", 0), 1, 0):
        of_tokens = layer[mask]
        normalised.append((layer - of_tokens.mean()) / of_tokens.std())
    expected = np.mean(normalised, axis=0) * mask[..., None]
    results = weight_layers("input", outputs, do_layer_norm=True)
    assert_close(results["weighted_op"], expected)


def test_regularisation(fresh):
    model, outputs = fresh
    assert float(weight_layers("plain", outputs)["regularization_op"]) == 0
    weight_layers("input", outputs, l2_coef=0.5)
    model.mixes["input"].mix_weights.assign([1.0, 2.0, -1.0])
    variables = model.mixes["input"].trainable_variables
    with tf.GradientTape() as tape:
        term = weight_layers("input", outputs, l2_coef=0.5)["regularization_op"]
    assert float(term) == 3.0
    assert tape.gradient(term, variables)[0].numpy().tolist() == [1.0, 2.0, -1.0]


def test_gradients_reach_the_weights_alone(skip_files, fresh):
    model, _ = fresh
    ids = Batcher(skip_files.vocabulary, 50).batch_sentences([["the", "cat"]])
    weight_layers("input", model(ids))
    variables = model.mixes["input"].trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weight_layers("input", model(ids))["weighted_op"])
    gradients = tape.gradient(loss, [*variables, *model.bilm.variables])
    assert all(gradient is not None for gradient in gradients[:2])
    assert all(gradient is None for gradient in gradients[2:])


def test_one_name_has_one_set_of_arguments(fresh):
    _, outputs = fresh
    weight_layers("input", outputs)
    for arguments, key in (
        ({"l2_coef": 0.1}, "weights_regularizer"),
        ({"use_top_only": True}, "num_layers"),
        ({"do_layer_norm": True}, "do_layer_norm"),
    ):
        with refused("name='input'", key, "another name"):
            weight_layers("input", outputs, **arguments)


def test_arguments(fresh):
    _, outputs = fresh
    with refused("`bilm_ops`", "['mask']"):
        weight_layers("input", {"mask": outputs["mask"]})
    for l2_coef in (-1, "0.1", True):
        with refused("`l2_coef`", repr(l2_coef)):
            weight_layers("input", outputs, l2_coef=l2_coef)
    for name in ("use_top_only", "do_layer_norm"):
        with refused(f"`{name}`", "'row'"):
            weight_layers("input", outputs, **{name: "row"})


def keras_model(inputs, outputs):
    """A classifier whose layers need the mask of both mixes."""
    first = weight_layers("input", outputs, l2_coef=0.1)["weighted_op"]
    last = weight_layers("output", outputs)["weighted_op"]
    means = [keras.layers.GlobalAveragePooling1D()(mixed) for mixed in (first, last)]
    x = keras.layers.Dense(1)(keras.layers.Concatenate()(means))
    return keras.Model(inputs, x)


@pytest.mark.slow
def test_in_a_keras_model(skip_files, fresh):
    bilm, outputs = fresh
    inputs = keras.Input((None, 50), dtype="int32")
    model = keras_model(inputs, bilm(inputs))
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    batcher = Batcher(skip_files.vocabulary, 50)
    ids = batcher.batch_sentences(skip_files.golden.batches[0])
    before = [np.asarray(variable) for variable in bilm.bilm.variables]
    model.trainable = False
    model.trainable = True
    # Each of the mixes has two variables, and so has the last layer.
    assert len(model.trainable_variables) == 6
    model.fit(ids, np.ones(len(ids)), verbose=0)
    assert_close(bilm.bilm.variables, before, atol=0)
    weights = np.asarray(bilm.mixes["input"].mix_weights)
    assert np.abs(weights).max() > 0
    np.testing.assert_allclose(sum(model.losses), 0.1 * (weights**2).sum(), rtol=1e-5)
    # The same names are the same mixes for the outputs of a direct call too.
    mean_over_tokens = keras.layers.GlobalAveragePooling1D()
    means = [
        mean_over_tokens(weight_layers(name, outputs, l2_coef)["weighted_op"])
        for name, l2_coef in (("input", 0.1), ("output", None))
    ]
    predictions = model(ids)
    assert_close(model.layers[-1](np.concatenate(means, axis=1)), predictions)
    model.save(skip_files.folder / "model.keras")
    loaded = keras.models.load_model(skip_files.folder / "model.keras")
    assert_close(loaded(ids), predictions)
    assert len(loaded.trainable_variables) == 6


def test_tokens_in_a_keras_model(skip_files):
    path = skip_files.folder / "embeddings.hdf5"
    dump_token_embeddings(skip_files.vocabulary, *skip_files.pair, path)
    bilm = BidirectionalLanguageModel(*skip_files.pair, False, path)
    inputs = keras.Input((None,), dtype="int32")
    model = keras_model(inputs, bilm(inputs))
    ids = TokenBatcher(skip_files.vocabulary).batch_sentences([["the", "cat"], ["a"]])
    predictions = model(ids)
    # The mask goes with the mixes, so padding makes no difference.
    assert_close(model(np.pad(ids, [(0, 0), (0, 3)])), predictions)
    clone = keras.Model.from_config(model.get_config())
    clone.set_weights(model.get_weights())
    assert_close(clone(ids), predictions)
    assert len(clone.trainable_variables) == 6
