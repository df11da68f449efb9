import pytest
import tensorflow as tf
from golden import assert_close
from models import SMALL

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.main import main


@pytest.fixture
def preset(tmp_path):
    """A preset of its own tokenizer, with a start state, as a command names it."""
    elmo = ElmoEmbedding(BiLM(**SMALL), start_state="warm", tokenizer="whitespace")
    elmo.warm_up(["some text"])
    elmo.save_to_preset(tmp_path / "preset")
    return str(tmp_path / "preset")


def export(*arguments):
    main(["export", *map(str, arguments)])


@pytest.mark.slow
def test_export(preset, tmp_path, capsys):
    requests = tmp_path / "requests.txt"
    requests.write_text("the cat\n\ndogs\n", encoding="utf-8")
    folder = tmp_path / "saved"
    export(preset, folder, "--start-state", "warm", "--warm-up", requests)
    output = capsys.readouterr().out
    assert f"wrote {folder}" in output and "note" not in output
    text = tf.constant(["the\tcat,", "dogs"])
    expected = ElmoEmbedding.from_preset(preset, start_state="warm")(text)
    assert_close(dict(tf.saved_model.load(str(folder))(text)), dict(expected))
    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    assert len([*tf.data.TFRecordDataset(str(file))]) == 2 * 3

    # The second load replaces all of the first, as simple_elmo's does.
    with pytest.raises(SystemExit, match="exists.*--force"):
        export(preset, folder)
    assert file.is_file()
    pytest.importorskip("tensorflow_text", reason="no tensorflow-text here")
    other = {"tokenizer": "unicode_script"}
    export(preset, folder, "--force", "--tokenizer", other["tokenizer"])
    assert "note: A SavedModel with `tokenizer=" in capsys.readouterr().out
    assert not file.exists()
    expected = ElmoEmbedding.from_preset(preset, **other)(text)
    assert_close(dict(tf.saved_model.load(str(folder))(text)), dict(expected))


def test_something_else_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    # The target is looked at before what takes long: there are no such weights.
    with pytest.raises(SystemExit, match="holds something else"):
        export("no_such_weights", tmp_path, "--force")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n", "at least one line"),
        (b"caf\xe9\n", r"requests\.txt should be UTF-8"),
        (b"a\n" * 334, "1 to 333 sentences"),
    ],
)
def test_bad_requests(preset, tmp_path, content, message):
    (tmp_path / "requests.txt").write_bytes(content)
    arguments = ["--warm-up", tmp_path / "requests.txt"]
    with pytest.raises(SystemExit, match=message):
        export(preset, tmp_path / "saved", *arguments)
    assert not (tmp_path / "saved").exists()
