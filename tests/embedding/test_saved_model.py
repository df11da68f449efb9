import gc
import json
import subprocess
import sys
import warnings
import weakref
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE, assert_close
from models import skip_elmo, small_bilm
from processes import without_extras

from keras_elmo import ElmoEmbedding

pytestmark = pytest.mark.slow

TEXT = ["The cat sat on the mat .", "Dogs", ""]
TOKENS = [
    ["The", "cat", "sat", "on", "the", "mat", "."],
    ["Dogs"] + ["?"] * 6,
    ["?"] * 7,
]
LENGTHS = [7, 1, 0]

# The package is hidden from that process, wherever it is installed.
LOADER = """
import sys
sys.modules.update(keras_elmo=None, tensorflow_text=None)
import saved_model_loaders
saved_model_loaders.main(*sys.argv[1:])
"""
REGULARIZER = keras.regularizers.L2(0.1)
# The messages of tensorflow-serving-api 2.21 encode one sentence like this, for each
# signature; they decide, since no server is at hand.
THE_CAT = b"\x12\x11\x08\x07\x12\x04\x12\x02\x08\x01B\x07The cat"
RECORDS = [
    b"23\n1\n\x11\x1a\x0fserving_default\x12\x1c\n\x07strings" + THE_CAT,
    b"2+\n)\n\t\x1a\x07default\x12\x1c\n\x07strings" + THE_CAT,
    b"2K\nI\n\x08\x1a\x06tokens\x12 \n\x06tokens\x12\x16\x08\x07\x12\x08\x12\x02\x08"
    b"\x01\x12\x02\x08\x02B\x03TheB\x03cat\x12\x1b\n\x0csequence_len\x12\x0b\x08\x03"
    b"\x12\x04\x12\x02\x08\x01:\x01\x02",
]


class Exported(NamedTuple):
    """A SavedModel, the layer that it is of, and what other processes made of it."""

    folder: Path
    elmo: ElmoEmbedding
    answers: dict[str, np.ndarray]

    def answered(self, way):
        """The outputs of one way to load it, by name."""
        length = len(way) + 1
        return {
            name[length:]: array
            for name, array in self.answers.items()
            if name.startswith(f"{way}/")
        }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """One SavedModel, run in one process that does not know this package."""
    tmp_path = tmp_path_factory.mktemp("exported")
    elmo = skip_elmo(dropout=0.5, mix_regularizer=REGULARIZER)
    elmo.mix.mix_weights.assign([1.0, -1.0, 0.5])
    elmo.export(tmp_path / "saved", warm_up=["The cat", "a  long\u00e9r one " * 20, ""])
    answers = in_a_fresh_process(tmp_path / "saved", tmp_path)
    return Exported(tmp_path / "saved", elmo, answers)


def in_a_fresh_process(folder, tmp_path):
    request, output = tmp_path / "request.json", tmp_path / "outputs.npz"
    tokens = {"tokens": TOKENS, "sequence_len": LENGTHS}
    request.write_text(json.dumps({"default": {"strings": TEXT}, "tokens": tokens}))
    done = subprocess.run(
        [sys.executable, "-c", LOADER, folder, request, output],
        env=without_extras(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(output) as arrays:
        return dict(arrays)


WAYS = [
    *(f"signature/{name}" for name in ("default", "serving_default", "tokens")),
    *(f"call/{name}" for name in ("default", "tokens", "not_training")),
    *(f"keras/{name}" for name in ("default", "serving_default", "tokens")),
    *(f"session/{name}" for name in ("default", "tokens")),
    *(f"hub/{name}" for name in ("default", "serving_default", "tokens")),
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_load_it_gives_the_same(exported, way):
    answers = exported.answered(way)
    if way.startswith("hub/") and not answers:
        pytest.skip("no tensorflow-hub here")
    expected = exported.elmo(TEXT)
    assert len(expected) == 5
    assert_close(answers, dict(expected))


def test_saved_model_cli(exported):
    expected = exported.elmo(TEXT)
    answers = exported.answered("command/default")
    assert len(answers) == 3
    assert_close(answers, {name: expected[name] for name in answers})


def test_is_trainable_where_it_is_loaded(exported):
    elmo = exported.elmo
    weights = elmo.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(elmo(TEXT)["elmo"] ** 2)
    expected = tape.gradient(loss, [variable.value for variable in weights])
    gradients = exported.answered("gradients")
    assert np.abs(gradients["weights"]).max() > 0.1
    actual = [gradients["weights"], gradients["scaling"]]
    np.testing.assert_allclose(actual[0], expected[0], rtol=1e-4)
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-4)
    loss = exported.answered("losses")
    assert_close(loss, {"0": REGULARIZER(elmo.mix.mix_weights)})
    count = exported.answered("count")
    assert count == {"trainable": 2, "variables": len(elmo.variables)}
    # What is assigned to a variable changes what is computed.
    scaled = exported.answered("scaled/default")["elmo"]
    np.testing.assert_allclose(scaled, 2 * elmo(TEXT)["elmo"], **TOLERANCE)


def test_frozen_with_a_regularizer(tmp_path):
    """Nothing that is frozen has a loss."""
    elmo = skip_elmo(trainable=False, mix_regularizer=REGULARIZER)
    elmo.export(tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    assert not loaded.trainable_variables and not loaded.regularization_losses
    assert_close(dict(loaded(tf.constant(TEXT))), dict(elmo(TEXT)))


def test_dropout_where_it_is_loaded(exported):
    first, second = (exported.answered(f"training/{n}") for n in ("first", "second"))
    without = exported.elmo(TEXT)
    dropped = first["elmo"] == 0
    is_token = np.asarray(without["elmo"]) != 0
    assert 0.3 < dropped[is_token].mean() < 0.7
    assert np.any(dropped != (second["elmo"] == 0))
    assert_close(first["lstm_outputs2"], without["lstm_outputs2"])


def test_what_is_deleted_is_not_kept_in_memory(exported):
    """As TensorFlow keeps all that has a gradient of its own, once it is loaded."""
    loaded = tf.saved_model.load(str(exported.folder))
    graph = weakref.ref(loaded.signatures["default"].graph)
    del loaded
    gc.collect()
    assert graph() is None


def test_weights_are_stored_once(exported):
    weights = sum(4 * np.prod(v.shape) for v in exported.elmo.variables)
    (data,) = (exported.folder / "variables").glob("*.data-*")
    assert weights <= data.stat().st_size <= 1.05 * weights


def test_warm_up_requests(exported):
    file = exported.folder / "assets.extra" / "tf_serving_warmup_requests"
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(file))]
    assert records[:3] == RECORDS
    assert len(records) == 9
    # Lengths above 127 take two bytes.
    assert "long\u00e9r one a  long".encode() in records[3]
    assert records[5].count(b"B\x07long\xc3\xa9r") == 20
    assert records[8].endswith(b"\x12\x04\x12\x02\x08\x01:\x01\x00")  # of length 0


@pytest.mark.parametrize(
    ("warm_up", "received"),
    [
        ("The cat", "'The cat'"),
        ([], r"\[\] \(0 of them\)"),
        ([["The", "cat"]], r"\[\['The'"),
        (["a"] * 334, r"\(334 of them\)"),
        (["a\ud800"], "half a character"),
    ],
)
def test_bad_warm_up(tmp_path, warm_up, received):
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        ElmoEmbedding(small_bilm()).export(tmp_path / "saved", warm_up=warm_up)
    assert not list(tmp_path.iterdir())


def test_what_is_finetuned_is_trainable_too(tmp_path):
    elmo = ElmoEmbedding(small_bilm(num_layers=1), finetune="lstm")
    elmo.export(tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    variables = [variable.value for variable in elmo.trainable_variables]
    assert len(variables) == 2 + len(elmo.bilm.bilstm.variables)
    gradients = []
    for function, trained in (elmo, variables), (loaded, loaded.trainable_variables):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(function(tf.constant(TEXT))["elmo"] ** 2)
        gradients.append(tape.gradient(loss, trained))
    expected, actual = gradients
    assert all(np.any(np.asarray(gradient)) for gradient in expected)
    assert_close(actual, expected)


def test_a_layer_for_xla_and_one_output(tmp_path):
    elmo = skip_elmo(output_key="default", jit_compile=True)
    # A layer that was never called has to build its graph for this.
    elmo.export(tmp_path / "saved")
    default = tf.saved_model.load(str(tmp_path / "saved")).signatures["default"]
    expected = skip_elmo()(TEXT)
    assert_close(default(strings=tf.constant(TEXT)), dict(expected))
    assert b"MustCompile" not in (tmp_path / "saved" / "saved_model.pb").read_bytes()


@pytest.mark.parametrize("tokenizer", ["whitespace", "unicode_script"])
def test_other_tokenizers(tmp_path, tokenizer):
    if tokenizer == "unicode_script":
        pytest.importorskip("tensorflow_text", reason="no tensorflow-text here")
    elmo = ElmoEmbedding(small_bilm(num_layers=1), tokenizer=tokenizer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        elmo.export(tmp_path / "saved")
    told = ["op library of tensorflow-text" in str(w.message) for w in caught]
    assert any(told) == (tokenizer == "unicode_script")
    default = tf.saved_model.load(tmp_path / "saved").signatures["default"]
    text = tf.constant(["a\u00a0b, c", "d"])
    np.testing.assert_allclose(
        default(strings=text)["elmo"], elmo(text)["elmo"], **TOLERANCE
    )


def test_length_out_of_range_in_the_saved_model(exported):
    tokens = tf.saved_model.load(exported.folder).signatures["tokens"]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"(?s)row:\] \[2\].*\[8\]"
    ):
        tokens(tokens=tf.constant(TOKENS), sequence_len=tf.constant([7, 1, 8]))


def test_model_with_elmo_inside(tmp_path):
    text = keras.Input((), dtype="string", name="text")
    elmo = ElmoEmbedding(small_bilm(num_layers=1), output_key="elmo")
    x = keras.layers.LSTM(3)(elmo(text))
    model = keras.Model(text, keras.layers.Dense(2)(x))
    model.export(tmp_path / "saved", verbose=False)
    signature = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    (argument,) = signature.structured_input_signature[1]
    (answer,) = signature(**{argument: tf.constant(TEXT)}).values()
    expected = model.predict(np.array(TEXT, dtype=object), verbose=0)
    np.testing.assert_allclose(answer, expected, **TOLERANCE)


def test_only_core_ops(exported):
    content = (exported.folder / "saved_model.pb").read_bytes()
    assert b"StringSplitV2" in content
    for op in (b"TFText", b"PyFunc", b"TFT>", b"WhitespaceTokenize"):
        assert op not in content


def test_replaces_a_saved_model_and_nothing_else(tmp_path):
    elmo = ElmoEmbedding(small_bilm())
    mine = tmp_path / "old"  # what replaces it has a folder of this name too
    mine.mkdir()
    elmo.export(mine)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        elmo.export(mine)
    elmo.export(mine, overwrite=True)
    assert (mine / "saved_model.pb").is_file()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="holds something else"):
        elmo.export(other)
    assert (other / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "other"]
