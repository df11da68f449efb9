import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE, Golden

import keras_elmo
from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.text import tokenizers

TEXT = np.array(["the cat is on the mat", "dogs", "", "a  b"], dtype=object)
LABELS = np.array([0.0, 1.0, 0.0, 1.0])


def new_elmo(**kwargs):
    return ElmoEmbedding.from_hdf5(**Golden("skip").files, **kwargs)


def classifier(**kwargs):
    """Functional, with a layer that needs the mask."""
    text = keras.Input((), dtype="string")
    x = new_elmo(output_key="elmo", **kwargs)(text)
    model = keras.Model(text, keras.layers.Dense(1)(keras.layers.LSTM(3)(x)))
    model.compile("sgd", "mse")
    return model


def close(left, right):
    for key in left:
        np.testing.assert_allclose(left[key], right[key], **TOLERANCE)


# What comes out.


def test_outputs():
    outputs = new_elmo()(list(TEXT))
    shapes = {key: tuple(value.shape) for key, value in outputs.items()}
    assert shapes == {
        "word_emb": (4, 6, 12),
        "lstm_outputs1": (4, 6, 24),
        "lstm_outputs2": (4, 6, 24),
        "elmo": (4, 6, 24),
        "default": (4, 24),
    }
    lengths = [6, 1, 0, 2]
    for key in list(outputs)[:-1]:
        for row, length in enumerate(lengths):
            assert (outputs[key][row, :length] != 0).numpy().any(axis=-1).all()
            np.testing.assert_array_equal(outputs[key][row, length:], 0)
    np.testing.assert_array_equal(outputs["default"][2], 0)


@pytest.mark.parametrize(
    "key", ["word_emb", "lstm_outputs1", "lstm_outputs2", "elmo", "default"]
)
def test_output_key(key):
    expected = new_elmo()(list(TEXT))[key]
    np.testing.assert_array_equal(new_elmo(output_key=key)(list(TEXT)), expected)


def test_three_layers_have_three_outputs():
    elmo = ElmoEmbedding(BiLM([[1, 4]], units=4, projection_dim=4, num_layers=3))
    assert list(elmo(["a"]))[1:4] == [f"lstm_outputs{k}" for k in (1, 2, 3)]
    assert elmo.mix.mix_weights.shape == (4,)


# What goes in.


def test_forms_of_input_agree():
    elmo = new_elmo()
    expected = elmo(list(TEXT))
    tokens = [[t for t in text.split(" ") if t] for text in TEXT]
    padded = [row + ["?"] * (6 - len(row)) for row in tokens]
    lengths = [len(row) for row in tokens]
    dense = keras_elmo.ElmoPreprocessor(sentence_boundaries=True)
    for inputs in (
        TEXT,
        TEXT.astype(str),
        tf.constant(TEXT),
        tf.constant(TEXT)[:, None],
        tf.ragged.constant(tokens),
        tokens,
        [row or [] for row in map(tuple, tokens)],
        {"tokens": padded, "sequence_len": lengths},
        {"tokens": tf.constant(padded), "sequence_len": np.array(lengths, "int64")},
        elmo.preprocessor(TEXT),
        dense(TEXT),
        {key: value.numpy() for key, value in dense(TEXT).items()},
    ):
        close(elmo(inputs), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
def test_small_and_large_integers(dtype):
    elmo = new_elmo()
    tokens = {
        "tokens": [["a", "b"], ["c", "?"]],
        "sequence_len": np.array([2, 0], dtype),
    }
    expected = elmo(["a b", ""])
    close(elmo(tokens), expected)
    integers = dict(elmo.preprocessor(["a b", ""]))
    for name in ("token_index", "sequence_len"):
        integers[name] = tf.cast(integers[name], dtype)
    close(elmo(integers), expected)
    mask = elmo.compute_mask(integers)["elmo"]
    assert mask.numpy().tolist() == [[True, True], [False, False]]


def test_tokens_past_the_length_are_ignored():
    elmo = new_elmo()
    rows = [["a", "b", "c"], ["d", "</S>", "\0"]]
    others = [["a", "b", ""], ["d", "x" * 100, "y"]]
    left, right = (elmo({"tokens": t, "sequence_len": [2, 1]}) for t in (rows, others))
    for key in left:
        np.testing.assert_array_equal(left[key], right[key])
    assert left["elmo"].shape[1] == 3


@pytest.mark.parametrize("boundaries", [True, False])
@pytest.mark.parametrize("jit_compile", [True, False])
def test_batch_invariance(boundaries, jit_compile):
    """Alone, among 64, after 10 other calls, padded to 5 times its length, by
    either signature: one embedding."""
    elmo = new_elmo(sentence_boundaries=boundaries, jit_compile=jit_compile)
    sentence = "the quick brown fox jumps over the lazy dog ."
    words = sentence.split(" ")
    alone = {key: value[0] for key, value in elmo([sentence]).items()}

    def check(outputs, row):
        for key, value in alone.items():
            other = outputs[key][row]
            if key != "default":
                np.testing.assert_array_equal(other[len(words) :], 0)
                other = other[: len(words)]
            np.testing.assert_allclose(other, value, **TOLERANCE)

    rng = np.random.default_rng(0)
    others = [" ".join(rng.choice(words, rng.integers(1, 40))) for _ in range(63)]
    check(elmo([*others[:40], sentence, *others[40:]]), 40)
    for other in others[:10]:
        elmo([other])
    check(elmo([sentence]), 0)
    padded = words + ["?"] * 4 * len(words)
    check(elmo({"tokens": [padded], "sequence_len": [len(words)]}), 0)
    check(elmo(tf.ragged.constant([["x"], words])), 1)


def test_odd_text_embeds():
    texts = [
        b"\xff\xfe x",
        b"a\0b",
        b"\x01\x02\x7f",
        "😀 👩‍👩‍👧".encode(),
        b"x" * 2**20,
    ]
    outputs = new_elmo()(texts)
    assert all(np.isfinite(value).all() for value in outputs.values())
    embeddings = outputs["word_emb"][:, 0].numpy()
    assert len(np.unique(embeddings.round(4), axis=0)) == len(texts)


@pytest.mark.parametrize("empty", [[], np.array([], dtype=object)])
def test_empty_batch(empty):
    assert new_elmo()(empty)["elmo"].shape == (0, 1, 24)


def test_empty_batch_in_a_graph():
    inputs = {
        "tokens": tf.zeros([0, 3], tf.string),
        "sequence_len": tf.zeros([0], "int32"),
    }
    elmo = new_elmo()
    assert tf.function(elmo)(inputs)["elmo"].shape == (0, 3, 24)
    integers = elmo.preprocessor(tf.zeros([0], tf.string))
    assert tf.function(elmo)(integers)["elmo"].shape == (0, 1, 24)


def test_no_tokens_at_all():
    outputs = new_elmo()({"tokens": [[], []], "sequence_len": [0, 0]})
    assert outputs["elmo"].shape == (2, 1, 24)
    np.testing.assert_array_equal(outputs["elmo"], 0)


# In Keras models.


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
    new_elmo()(TEXT)
    assert len(tokenized) == 1
    model = classifier()
    tokenized.clear()
    model(tf.constant(TEXT))
    assert len(tokenized) == 1


def test_a_functional_model_shows_one_layer():
    model = classifier()
    assert len(model.layers) == 4  # input, ELMo, LSTM, Dense
    copy = keras.models.clone_model(model)
    assert len(copy.layers) == 4


def test_outputs_carry_their_mask():
    """Alone, through a graph and through `predict`, a layer that follows sees it."""
    elmo, lstm = new_elmo(output_key="elmo"), keras.layers.LSTM(3)
    expected = np.concatenate([lstm(elmo([text])) for text in TEXT[[0, 1, 3]]])
    eager = lstm(elmo(TEXT))
    traced = tf.function(lambda text: lstm(elmo(text)))(tf.constant(TEXT))
    for outputs in (eager, traced):
        np.testing.assert_allclose(outputs.numpy()[[0, 1, 3]], expected, **TOLERANCE)


def test_mask_reaches_a_following_lstm():
    model = classifier()
    alone = model(tf.constant(["dogs"]))
    np.testing.assert_allclose(model(tf.constant(TEXT))[1:2], alone, **TOLERANCE)


def test_empty_text_passes_through_a_following_lstm():
    assert np.isfinite(classifier()(tf.constant(["", ""]))).all()


def test_mask_is_that_of_the_tokens():
    elmo = new_elmo()
    masks = elmo.compute_mask(tf.constant(TEXT))
    assert masks["default"] is None
    expected = np.arange(6) < np.array([6, 1, 0, 2])[:, None]
    for inputs in (tf.constant(TEXT), elmo.preprocessor(TEXT)):
        np.testing.assert_array_equal(elmo.compute_mask(inputs)["elmo"], expected)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["array", "tensor", "column", "dataset", "batches"])
def test_fit_evaluate_predict(form):
    model = classifier()
    text = {
        "array": TEXT,
        "tensor": tf.constant(TEXT),
        "column": tf.constant(TEXT)[:, None],
        "dataset": tf.constant(TEXT),
        "batches": tf.constant(TEXT)[:, None],
    }[form]
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


REFUSED = [TEXT[:, None], TEXT.astype(str)]


@pytest.mark.slow
@pytest.mark.parametrize("refused", REFUSED)
def test_converted_arrays_train(refused):
    history = classifier().fit(tf.constant(refused), LABELS, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.skipif(
    [int(number) for number in keras.version().split(".")[:2]] < [3, 15],
    reason="older releases of Keras take (n, 1) object arrays",
)
@pytest.mark.parametrize("refused", REFUSED)
def test_what_keras_itself_refuses(refused):
    """The README tells of these two, and how to convert them."""
    with pytest.raises(Exception, match="(?i)object|<U|invalid dtype"):
        classifier().fit(refused, LABELS, verbose=0)


@pytest.mark.slow
def test_column_input_and_sequential():
    elmo = new_elmo(output_key="default")
    text = keras.Input((1,), dtype="string")
    functional = keras.Model(text, elmo(text))
    sequential = keras.Sequential([keras.Input((), dtype="string"), elmo])
    column = functional.predict(tf.constant(TEXT)[:, None], verbose=0)
    np.testing.assert_allclose(sequential.predict(TEXT, verbose=0), column, **TOLERANCE)


def test_sequential_without_an_input():
    """Keras takes its input for numbers, so the error says what to add."""
    model = keras.Sequential([new_elmo(output_key="default"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="(?s)Sequential.*keras.Input"):
        model.fit(TEXT, LABELS, verbose=0)


def test_tokens_in_a_functional_model():
    inputs = {
        "tokens": keras.Input((None,), dtype="string", name="tokens"),
        "sequence_len": keras.Input((), dtype="int32", name="sequence_len"),
    }
    elmo = new_elmo()
    model = keras.Model(inputs, elmo(inputs)["default"])
    rows = {"tokens": [["a", "b"], ["c", ""]], "sequence_len": [2, 1]}
    rows = {key: tf.constant(value) for key, value in rows.items()}
    expected = elmo(["a b", "c"])["default"]
    np.testing.assert_allclose(model.predict(rows, verbose=0), expected, **TOLERANCE)


def test_integers_in_a_functional_model():
    elmo = new_elmo()
    integers = elmo.preprocessor(TEXT)
    inputs = {
        key: keras.Input(batch_shape=[None] * len(value.shape), dtype="int32", name=key)
        for key, value in integers.items()
    }
    model = keras.Model(inputs, elmo(inputs)["elmo"])
    np.testing.assert_allclose(model(integers), elmo(TEXT)["elmo"], **TOLERANCE)


def test_preprocessor_as_a_layer_of_a_functional_model():
    elmo = new_elmo(output_key="default")
    text = keras.Input((), dtype="string")
    model = keras.Model(text, elmo(elmo.preprocessor(text)))
    np.testing.assert_allclose(model.predict(TEXT, verbose=0), elmo(TEXT), **TOLERANCE)


# What trains.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("finetune", "count"), [(None, 4), ("lstm", None), ("all", None)]
)
def test_trainable_whatever_flags_are_set(finetune, count):
    model = classifier(finetune=finetune)
    elmo = model.layers[1]
    bilm = elmo.bilm
    expected = {"mix/weights", "mix/scaling"}
    named = {None: [], "lstm": bilm.bilstm.variables, "all": bilm.variables}[finetune]
    expected |= {variable.path.removeprefix("elmo_embedding/") for variable in named}

    def trainable():
        paths = {
            v.path.removeprefix("elmo_embedding/") for v in elmo.trainable_variables
        }
        in_model = {v.path for v in model.trainable_variables}
        assert {v.path for v in elmo.trainable_variables} <= in_model
        return paths

    assert trainable() == expected
    for holder in (elmo, model):
        holder.trainable = False
        assert elmo.trainable_variables == []
        holder.trainable = True
        assert trainable() == expected
    for copy in (
        keras.models.clone_model(model).layers[1],
        ElmoEmbedding.from_config(elmo.get_config()),
    ):
        assert len(copy.trainable_variables) == len(expected)
    if count is not None:
        assert sum(int(np.prod(v.shape)) for v in elmo.trainable_variables) == count


@pytest.mark.parametrize(("finetune", "count"), [(None, 2), ("lstm", 18), ("all", 31)])
def test_trainable_before_the_first_call(finetune, count):
    assert len(new_elmo(finetune=finetune).trainable_variables) == count


def test_one_of_two_that_share_a_bilm_suffices_to_train_it():
    first = new_elmo(finetune="lstm")
    second = ElmoEmbedding(first.bilm, finetune="lstm")
    first.trainable = False
    assert len(second.trainable_variables) == 18
    second.trainable = False
    assert not any(variable.trainable for variable in first.bilm.variables)


def test_embeddings_of_one_bilm_agree_in_finetune():
    first = new_elmo(finetune="all")
    with pytest.raises(
        ValueError, match="(?s)`finetune` should be the same.*bilm.copy"
    ):
        ElmoEmbedding(first.bilm)
    assert len(ElmoEmbedding(first.bilm.copy()).trainable_variables) == 2


def test_trainable_false_from_the_start():
    elmo = new_elmo(trainable=False)
    assert elmo.trainable_variables == []
    elmo.trainable = True
    assert len(elmo.trainable_variables) == 2


@pytest.mark.slow
@pytest.mark.parametrize("finetune", [None, "lstm", "all"])
def test_fit_changes_what_is_trained_and_nothing_else(finetune):
    model = classifier(finetune=finetune)
    elmo = model.layers[1]
    before = {v.path: v.numpy() for v in elmo.variables}
    model.fit(TEXT, LABELS, epochs=2, verbose=0)
    changed = {v.path for v in elmo.variables if (v.numpy() != before[v.path]).any()}
    trained = {v.path for v in elmo.trainable_variables}
    assert changed == trained


def test_dropout_acts_after_the_mix_when_training():
    elmo = new_elmo(dropout=0.5, seed=3)
    plain, dropped = elmo(TEXT), elmo(TEXT, training=True)
    for key in ("word_emb", "lstm_outputs1", "lstm_outputs2"):
        np.testing.assert_array_equal(plain[key], dropped[key])
    share = float((dropped["elmo"][0] == 0).numpy().mean())
    assert 0.3 < share < 0.7
    again = new_elmo(dropout=0.5, seed=3)(TEXT, training=True)
    np.testing.assert_array_equal(dropped["elmo"], again["elmo"])


def test_layer_norm_is_that_of_the_mix_over_tokens():
    """The boundaries do not count, as in bilm-tf."""
    plain, normed = new_elmo()(TEXT), new_elmo(do_layer_norm=True)(TEXT)
    word_emb = np.concatenate([plain["word_emb"]] * 2, axis=-1)
    layers = [word_emb, plain["lstm_outputs1"], plain["lstm_outputs2"]]
    mask = np.arange(6) < np.array([6, 1, 0, 2])[:, None]
    expected = sum(
        (x - x[mask].mean()) / x[mask].std() for x in map(np.asarray, layers)
    )
    expected = expected / 3 * mask[..., None]
    np.testing.assert_allclose(normed["elmo"], expected, **TOLERANCE)


def test_mix_regularizer():
    elmo = new_elmo(mix_regularizer=keras.regularizers.L2(0.5))
    elmo.mix.mix_weights.assign([1.0, 2.0, 0.0])
    np.testing.assert_allclose(sum(elmo.losses), 2.5)
    copy = ElmoEmbedding.from_config(elmo.get_config())
    assert float(copy.mix.weights_regularizer.l2) == 0.5


def test_a_call_changes_nothing():
    elmo = new_elmo()
    first = elmo(TEXT)
    before = elmo.get_weights()
    elmo(["something else"])
    close(elmo(TEXT), first)
    for left, right in zip(before, elmo.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


# Saving.


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [True, False])
def test_keras_file(tmp_path, jit_compile):
    model = classifier(finetune="lstm", jit_compile=jit_compile)
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
    first = new_elmo(output_key="default")
    second = ElmoEmbedding(first.bilm, output_key="default")
    assert second.sentence_boundaries
    text = keras.Input((), dtype="string")
    model = keras.Model(text, keras.layers.Concatenate()([first(text), second(text)]))
    assert len(model.trainable_variables) == 4
    assert model.count_params() == first.count_params() + 4
    second.mix.mix_weights.assign([1.0, 0.0, -1.0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.predict(TEXT, verbose=0)
    assert np.abs(expected[:, :24] - expected[:, 24:]).max() > 1e-3
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
    elmo = new_elmo(output_key="default")
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


def test_numbers_in_a_graph_are_refused_when_it_runs():
    with pytest.raises(tf.errors.InvalidArgumentError, match="should be strings"):
        tf.function(new_elmo())(tf.constant([1.0, 2.0]))


# Precision.


# Values are rounded this often one after another: 9 times in the token encoder and 10
# times in each LSTM layer. (Roundings of earlier time steps fade with the memory.)
ROUNDINGS = 9 + 2 * 10


@pytest.mark.parametrize(
    ("dtype", "unit_roundoff"), [("mixed_float16", 2**-11), ("mixed_bfloat16", 2**-8)]
)
def test_mixed_precision(dtype, unit_roundoff):
    """By the norm of the error: gates and clips keep a rounding from growing.

    Single values may be off by more. Where a CPU has no instructions for bfloat16,
    TensorFlow rounds partial sums too, which doubles the error.
    """
    elmo, half = new_elmo(), new_elmo(dtype=dtype)
    outputs, expected = half(TEXT), elmo(TEXT)
    for key, value in outputs.items():
        assert value.dtype.name == half.compute_dtype == dtype.removeprefix("mixed_")
        error = np.linalg.norm(tf.cast(value, "float32") - expected[key])
        assert error <= ROUNDINGS * unit_roundoff * np.linalg.norm(expected[key])
    assert {v.dtype for v in half.variables} == {"float32"}


def test_mean_of_a_long_row_in_half_precision():
    elmo = new_elmo(dtype="mixed_float16")
    outputs = elmo([" ".join(["word"] * 1500)])
    expected = np.asarray(outputs["elmo"], "float32").mean(axis=1)
    np.testing.assert_allclose(outputs["default"], expected, rtol=1e-3, atol=1e-3)


def test_dtype_is_that_of_the_bilm():
    with pytest.raises(ValueError, match="`dtype` should be that of `bilm`"):
        ElmoEmbedding(new_elmo().bilm, dtype="mixed_float16")


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_key": "lstm_outputs3"}, "`output_key` should be one of.*'default'"),
        ({"output_key": 1}, "`output_key` should be one of"),
        ({"finetune": "cnn"}, "`finetune` should be one of: None, 'lstm', 'all'"),
        ({"tokenizer": "words"}, "`tokenizer` should be one of"),
        ({"jit_compile": 1}, "`jit_compile` should be one of: 'auto', True, False"),
        ({"dropout": 2.0}, "`dropout` should be a number from 0"),
        ({"sentence_boundaries": "no"}, "`sentence_boundaries` should be one of"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        new_elmo(**arguments)


def test_bad_bilm():
    with pytest.raises(ValueError, match="(?s)`bilm` should be a `BiLM`.*from_preset"):
        ElmoEmbedding("tiny_en")


def test_graph_mode_of_tensorflow_1():
    program = (
        "import tensorflow as tf, keras_elmo\n"
        "bilm = keras_elmo.BiLM([[1, 4]], units=4, projection_dim=4)\n"
        "tf.compat.v1.disable_eager_execution()\n"
        "keras_elmo.ElmoEmbedding(bilm)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert "RuntimeError: `ElmoEmbedding` needs TensorFlow 2" in done.stderr


BOUNDED = {"char_ids": np.ones((1, 2, 50), "int32"), "sequence_len": [2]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1, 2], "should be strings.*Received: int32"),
        ([0.5], "should be strings.*Received: float32"),
        ("one sentence", "pass a list of one"),
        (np.array([["a", "b"]]), "sequence_len"),
        ({"tokens": [["a"]], "sequence_len": [2]}, "0..1.*Received: 2 at row 0"),
        ({"tokens": [["a"]], "sequence_len": [-1]}, "Received: -1 at row 0"),
        ({"strings": ["a"]}, r"Received: keys \['strings'\]"),
        ({"char_ids": np.ones((1, 2, 50), "int32")}, "Received: keys"),
        ({**BOUNDED, "char_ids": np.ones((1, 2, 50))}, "should be integers"),
        ({**BOUNDED, "char_ids": np.ones((2, 50), "int32")}, "should be .batch, max_"),
        ({**BOUNDED, "char_ids": np.ones((1, 0, 50), "int32")}, "at least 1"),
        ({**BOUNDED, "sequence_len": [3]}, "0..2.*Received: 3 at row 0"),
        ({**BOUNDED, "char_ids": np.full((1, 2, 50), 262)}, "in 0..261"),
        ({**BOUNDED, "char_ids": np.full((1, 2, 50), -1)}, "in 0..261"),
        (BOUNDED, "between <S> and </S>"),
        (
            {
                "char_ids": np.ones((2, 50), "int32"),
                "token_index": np.array([[2]]),
                "sequence_len": [1],
            },
            '`"token_index"` should be rows',
        ),
    ],
)
def test_bad_inputs(inputs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        new_elmo()(inputs)


def test_integers_without_boundaries_are_refused_in_a_graph():
    elmo = new_elmo()
    inputs = keras_elmo.ElmoPreprocessor()(TEXT)
    with pytest.raises(tf.errors.InvalidArgumentError, match="between <S> and </S>"):
        tf.function(elmo)(inputs)
    with pytest.raises(ValueError, match="between <S> and </S>"):
        elmo(inputs)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_numbers_as_symbolic_input(dtype):
    with pytest.raises(Exception, match="should be strings"):
        new_elmo()(keras.Input((), dtype=dtype))
