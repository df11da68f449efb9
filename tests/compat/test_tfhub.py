"""Code for `hub.Module` of TensorFlow 1, with its import changed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import FIXTURES, Golden, assert_close
from hub_cache import fill_hub_cache
from models import small_bilm

import keras_elmo.compat.tfhub as hub
from keras_elmo import BiLM, ElmoEmbedding

FOLDER = str(FIXTURES / "skip" / "hub")
SENTENCES = ["the cat is on the mat", "dogs are in the fog"]
TOKENS = {
    "tokens": [
        ["the", "cat", "is", "on", "the", "mat"],
        ["dogs", "are", "in", "the", "fog", ""],
    ],
    "sequence_len": [6, 5],
}


@pytest.fixture(scope="module")
def elmo(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        fill_hub_cache(monkeypatch, tmp_path_factory.mktemp("tfhub"))
        return hub.Module("https://tfhub.dev/google/elmo/2", trainable=True)


@pytest.fixture(scope="module")
def expected():
    return ElmoEmbedding.from_tfhub(FOLDER)(SENTENCES)


def test_snippets_of_the_page_of_google_elmo(elmo, expected):
    embeddings = elmo(
        ["the cat is on the mat", "dogs are in the fog"],
        signature="default",
        as_dict=True,
    )["elmo"]
    assert_close(embeddings, expected["elmo"])

    tokens_input = [
        ["the", "cat", "is", "on", "the", "mat"],
        ["dogs", "are", "in", "the", "fog", ""],
    ]
    tokens_length = [6, 5]
    embeddings = elmo(
        inputs={"tokens": tokens_input, "sequence_len": tokens_length},
        signature="tokens",
        as_dict=True,
    )["elmo"]
    assert_close(embeddings, expected["elmo"])


def test_numbers_are_the_authors(elmo):
    golden = Golden("skip")
    names = ["word_emb", "lstm_outputs1", "lstm_outputs2"]
    mask = golden.arrays["mask_0"][..., None]
    layers = [golden.arrays[f"bare_{name}"] * mask for name in names]
    weights = np.exp(golden.arrays["mix_weights"])
    weights *= golden.arrays["mix_scaling"] / weights.sum()
    doubled = [np.concatenate([layers[0]] * 2, axis=-1), *layers[1:]]
    mix = sum(w * layer for w, layer in zip(weights, doubled, strict=True))
    recorded = dict(zip(names, layers, strict=True))
    recorded |= {"elmo": mix, "default": mix.sum(axis=1) / mask.sum(axis=1)}
    assert_close(elmo(golden.sentences(0), as_dict=True), recorded)
    outputs = elmo(golden.tokens(0), signature="tokens", as_dict=True)
    assert_close(outputs, recorded)


@pytest.mark.parametrize("make", [np.array, tf.constant])
def test_default_output(elmo, expected, make):
    assert_close(elmo(make(SENTENCES)), expected["default"])
    assert_close(elmo({"strings": make(SENTENCES)}), expected["default"])
    assert_close(elmo(TOKENS, signature="tokens"), expected["default"])


def test_in_a_tf_function(elmo, expected):
    @tf.function
    def embed(tokens, lengths):
        inputs = {"tokens": tokens, "sequence_len": lengths}
        return elmo(inputs, signature="tokens", as_dict=True)

    arguments = (tf.constant(value) for value in TOKENS.values())
    assert_close(embed(*arguments), dict(expected))


def test_what_trains_is_four_scalars(elmo):
    sizes = {v.name: int(np.prod(v.shape)) for v in elmo.trainable_variables}
    assert sizes == {"weights": 3, "scaling": 1}
    assert len(elmo.variables) == 2 + len(elmo.elmo.bilm.variables)


def test_trainable_is_as_in_tf_hub():
    elmo = hub.Module(FOLDER)
    for frozen in (elmo, hub.Module.from_config(elmo.get_config())):
        assert not any(variable.trainable for variable in frozen.variables)
    elmo.trainable = True
    assert len(elmo.trainable_variables) == 2


def test_dtype_and_embeddings_that_somebody_made():
    half = hub.Module(FOLDER, dtype="mixed_float16", name="half")
    assert half.compute_dtype == half.elmo.compute_dtype == "float16"
    assert half.get_output_info_dict()["elmo"].dtype == tf.float16
    assert half.name == "half"
    embedding = ElmoEmbedding(small_bilm(), finetune="lstm")
    elmo = hub.Module(embedding, trainable=True)
    assert elmo.elmo is embedding
    assert len(elmo.trainable_variables) == 2 + len(embedding.bilm.bilstm.variables)


def test_descriptions(elmo):
    assert list(elmo.get_signature_names()) == ["default", "tokens"]
    for signature, inputs in {
        None: {"strings": (tf.string, [None])},
        "default": {"strings": (tf.string, [None])},
        "tokens": {
            "tokens": (tf.string, [None, None]),
            "sequence_len": (tf.int32, [None]),
        },
    }.items():
        taken = elmo.get_input_info_dict(signature)
        found = {k: (v.dtype, v.get_shape().as_list()) for k, v in taken.items()}
        assert found == inputs
        returned = elmo.get_output_info_dict(signature)
        assert all(info.dtype == tf.float32 for info in returned.values())
        assert not any(info.is_sparse for info in returned.values())
        outputs = elmo(SENTENCES, as_dict=True)
        assert list(returned) == list(outputs)
        for name, output in outputs.items():
            assert output.shape[-1] == returned[name].get_shape()[-1]
            assert output.shape.rank == returned[name].shape.rank


@pytest.mark.slow
def test_in_a_keras_model_it_trains_saves_and_reloads(tmp_path):
    inputs = {
        "tokens": keras.Input((None,), dtype="string", name="tokens"),
        "sequence_len": keras.Input((), dtype="int32", name="sequence_len"),
    }
    elmo = hub.Module(FOLDER, trainable=True)
    outputs = elmo(inputs, signature="tokens", as_dict=True)
    vector = keras.layers.LSTM(3)(outputs["elmo"])
    vector = keras.layers.Concatenate()([vector, outputs["default"]])
    model = keras.Model(inputs, keras.layers.Dense(1)(vector))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = elmo.get_weights()
    tokens = {name: tf.constant(value) for name, value in TOKENS.items()}
    model.fit(tokens, np.array([0.0, 1.0]), verbose=0)
    pairs = zip(elmo.get_weights(), before, strict=True)
    assert sum(np.abs(new - old).max() > 1e-6 for new, old in pairs) == 2
    expected = model(tokens)
    alone = {"tokens": tokens["tokens"][1:, :5], "sequence_len": tf.constant([5])}
    assert_close(model(alone), expected[1:])  # the LSTM reads no padding
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded(tokens), expected)
    (copy,) = (layer for layer in loaded.layers if isinstance(layer, hub.Module))
    assert copy.trainable and copy.get_config() == elmo.get_config()


def test_lambda_layers_of_keras_2(elmo, expected):
    """Two snippets of tutorials: what is in them does not train, as in Keras 2."""
    batch_size, max_len = 2, 6
    size = elmo.get_output_info_dict()["default"].get_shape()[1]

    def ElmoSentence(x):
        strings = tf.squeeze(tf.cast(x, tf.string), axis=1)
        return elmo(strings, signature="default", as_dict=True)["default"]

    input_text = keras.Input(shape=(1,), dtype=tf.string)
    embedding = keras.layers.Lambda(ElmoSentence, output_shape=(size,))(input_text)
    model = keras.Model(input_text, embedding)
    assert_close(model(tf.constant(SENTENCES)[:, None]), expected["default"])
    assert not model.trainable_variables

    def ElmoTokens(x):
        inputs = {
            "tokens": tf.squeeze(tf.cast(x, tf.string)),
            "sequence_len": tf.constant(batch_size * [max_len]),
        }
        return elmo(inputs=inputs, signature="tokens", as_dict=True)["elmo"]

    input_text = keras.Input(shape=(max_len,), dtype=tf.string)
    shape = (max_len, size)
    embedding = keras.layers.Lambda(ElmoTokens, output_shape=shape)(input_text)
    model = keras.Model(input_text, embedding)
    sequences = model(tf.constant(TOKENS["tokens"]))
    assert_close(sequences[0], expected["elmo"][0])


@pytest.mark.slow
def test_two_senses_of_bank_at_full_size():
    """The sizes of google/elmo/2, with random weights."""
    widths = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]]
    bilm = BiLM(widths, units=4096, projection_dim=512)
    elmo = hub.Module(ElmoEmbedding(bilm))
    sentences = [
        "He sat on the bank of the river and looked at the water",
        "She had put all of her money in the bank in London",
    ]
    rows = [sentence.split() for sentence in sentences]
    inputs = {
        "tokens": [row + [""] * (30 - len(row)) for row in rows],
        "sequence_len": [len(row) for row in rows],
    }
    outputs = elmo(inputs=inputs, signature="tokens", as_dict=True)
    assert outputs["elmo"].shape == (2, 30, 1024)
    assert outputs["word_emb"].shape == (2, 30, 512)
    banks = [row.index("bank") for row in rows]
    first, second = (outputs["word_emb"][k, bank] for k, bank in enumerate(banks))
    assert_close(first, second)
    first, second = (outputs["elmo"][k, bank] for k, bank in enumerate(banks))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((SENTENCES,), {"signature": "sentences"}, "None, 'default', 'tokens'"),
        ((SENTENCES,), {"as_dict": "yes"}, "`as_dict` should be one of"),
        ((), {}, "Received: None"),
        ((TOKENS,), {}, r"keys \['sequence_len', 'tokens'\].*signature=\"tokens\""),
        ((SENTENCES,), {"signature": "tokens"}, "leave `signature` out"),
        (({"strings": SENTENCES},), {"signature": "tokens"}, r"keys \['strings'\]"),
        (({"tokens": [["a"]]},), {"signature": "tokens"}, r"keys \['tokens'\]"),
        (([["a", "b"], ["c"]],), {}, 'signature="tokens"'),
        ((np.array([["a", "b"]]),), {}, r"shape \(1, 2\)"),
        (("one sentence",), {}, r"shape \(\).*a list of one"),
        (([1, 2],), {}, "should be strings"),
        (
            ({"tokens": ["a"], "sequence_len": [1]},),
            {"signature": "tokens"},
            r'"tokens" of shape \(1,\)',
        ),
        (
            ({"tokens": [["a"]], "sequence_len": [[1]]},),
            {"signature": "tokens"},
            r'"sequence_len" of shape \(1, 1\)',
        ),
        (
            ({"tokens": [["a"]], "sequence_len": [2]},),
            {"signature": "tokens"},
            "0..1.*Received: 2 at row 0",
        ),
        (
            ({"tokens": [["a"]], "sequence_len": [0.5]},),
            {"signature": "tokens"},
            "should be integers",
        ),
    ],
)
def test_bad_calls(elmo, arguments, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        elmo(*arguments, **options)


def test_ranks_are_refused_in_graphs(elmo):
    for strings in (tf.constant([SENTENCES]), tf.ragged.constant([["a"]])):
        with pytest.raises(ValueError, match="should be strings .batch,"):
            tf.function(elmo)(strings)
    with pytest.raises(ValueError, match="(?s)Received: .*int32"):
        elmo(keras.Input((), dtype="int32"))
    with pytest.raises(ValueError, match=r"shape \(None, 6\)"):
        elmo(keras.Input((6,), dtype="string"))


def test_unknown_outputs_and_signatures_say_which_there_are(elmo):
    with pytest.raises(ValueError, match="'word_emb', 'lstm_outputs1'.*'default'"):
        elmo(SENTENCES, as_dict=True)["elmo_layer"]
    for describe in (elmo.get_input_info_dict, elmo.get_output_info_dict):
        with pytest.raises(ValueError, match="None, 'default', 'tokens'"):
            describe("serving_default")


def test_bad_arguments(elmo):
    with pytest.raises(FileNotFoundError, match="Received: 'nothing_there'"):
        hub.Module("nothing_there")
    with pytest.raises(ValueError, match="`tags` is no argument of Module"):
        hub.Module("tiny_en", tags={"train"})
    with pytest.raises(ValueError, match="`trainable` should be one of: True, False"):
        hub.Module(FOLDER, trainable="no")
    with pytest.raises(ValueError, match="without `output_key`.*'elmo'"):
        hub.Module(ElmoEmbedding(elmo.elmo.bilm, output_key="elmo"))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((SENTENCES,), {"signature": "default"}),
        ((TOKENS,), {"as_dict": True}),
        ((), {"strings": tf.constant(SENTENCES)}),
        ((), {"tokens": [["a"]], "sequence_len": [1]}),
    ],
)
def test_an_embedding_tells_of_this_module(frozen_elmo, arguments, options):
    name = next(iter(options))
    with pytest.raises(TypeError, match=rf"Received: \['{name}'.*compat.tfhub.Module"):
        frozen_elmo(*arguments, **options)
