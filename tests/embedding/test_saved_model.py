import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE
from models import skip_elmo

from keras_elmo import ElmoEmbedding

pytestmark = pytest.mark.slow

TEXT = ["The cat sat on the mat .", "Dogs", ""]
TOKENS = [
    ["The", "cat", "sat", "on", "the", "mat", "."],
    ["Dogs"] + ["?"] * 6,
    ["?"] * 7,
]
LENGTHS = [7, 1, 0]

LOADER = """
import json, sys
import numpy as np
import tensorflow as tf

folder, output, request = sys.argv[1:]
signatures = tf.saved_model.load(folder).signatures
arrays = {}
for name, arguments in json.loads(request).items():
    tensors = {key: tf.constant(value) for key, value in arguments.items()}
    for key, value in signatures[name](**tensors).items():
        arrays[f"{name}/{key}"] = value.numpy()
np.savez(output, **arrays)
assert not {"keras_elmo", "tensorflow_text"} & set(sys.modules)
"""


def in_a_fresh_process(folder, tmp_path, **requests):
    """What signatures answer where nothing but TensorFlow is imported."""
    output = tmp_path / "outputs.npz"
    command = [sys.executable, "-c", LOADER, folder, output, json.dumps(requests)]
    subprocess.run(command, check=True, cwd=tmp_path)
    with np.load(output) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("output_key", [None, "default"])
def test_both_signatures_answer_alike_anywhere(tmp_path, output_key, jit_compile):
    elmo = skip_elmo(output_key=output_key, jit_compile=jit_compile)
    if output_key is None:  # otherwise straight from the file, never called
        elmo.mix.mix_weights.assign([1.0, -1.0, 0.5])
    elmo.export(tmp_path / "saved")
    answers = in_a_fresh_process(
        tmp_path / "saved",
        tmp_path,
        default={"strings": TEXT},
        tokens={"tokens": TOKENS, "sequence_len": LENGTHS},
    )
    reference = ElmoEmbedding(elmo.bilm)
    reference.mix.set_weights(elmo.mix.get_weights())
    expected = reference(TEXT)
    assert len(expected) == 5
    assert set(answers) == {f"{s}/{k}" for s in ("default", "tokens") for k in expected}
    for name, array in answers.items():
        np.testing.assert_allclose(array, expected[name.split("/")[1]], **TOLERANCE)


@pytest.mark.parametrize("tokenizer", ["whitespace", "unicode_script"])
def test_other_tokenizers(tmp_path, tokenizer):
    if tokenizer == "unicode_script":
        pytest.importorskip("tensorflow_text", reason="no tensorflow-text here")
    elmo = skip_elmo(tokenizer=tokenizer)
    elmo.export(tmp_path / "saved")
    default = tf.saved_model.load(tmp_path / "saved").signatures["default"]
    text = tf.constant(["a\u00a0b, c", "d"])
    np.testing.assert_allclose(
        default(strings=text)["elmo"], elmo(text)["elmo"], **TOLERANCE
    )


def test_folder_named_like_our_scratch(tmp_path):
    elmo = skip_elmo()
    for _ in range(2):
        elmo.export(tmp_path / "old", overwrite=True)
    assert (tmp_path / "old" / "saved_model.pb").is_file()


def test_length_out_of_range_in_the_saved_model(tmp_path):
    skip_elmo().export(tmp_path / "saved")
    tokens = tf.saved_model.load(tmp_path / "saved").signatures["tokens"]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"(?s)row:\] \[2\].*\[8\]"
    ):
        tokens(tokens=tf.constant(TOKENS), sequence_len=tf.constant([7, 1, 8]))


def test_model_with_elmo_inside(tmp_path):
    text = keras.Input((), dtype="string", name="text")
    elmo = skip_elmo(output_key="elmo")
    x = keras.layers.LSTM(3)(elmo(text))
    model = keras.Model(text, keras.layers.Dense(2)(x))
    model.export(tmp_path / "saved", verbose=False)
    signature = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    (argument,) = signature.structured_input_signature[1]
    request = {"serving_default": {argument: TEXT}}
    answers = in_a_fresh_process(tmp_path / "saved", tmp_path, **request)
    (answer,) = answers.values()
    expected = model.predict(np.array(TEXT, dtype=object), verbose=0)
    np.testing.assert_allclose(answer, expected, **TOLERANCE)


def test_only_core_ops(tmp_path):
    skip_elmo().export(tmp_path / "saved")
    content = (tmp_path / "saved" / "saved_model.pb").read_bytes()
    assert b"StringSplitV2" in content
    for op in (b"TFText", b"PyFunc", b"TFT>", b"WhitespaceTokenize"):
        assert op not in content


def test_replaces_a_saved_model_and_nothing_else(tmp_path):
    elmo = skip_elmo()
    mine = tmp_path / "mine"
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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "other"]
