import hashlib
import subprocess
import sys
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import Golden

from keras_elmo import ElmoEmbedding
from keras_elmo.examples import imdb

POSITIVE = ["a wonderful film<br /><br />I loved it", "great fun from start to end"]
NEGATIVE = ["a dreadful film", "boring and far too long"]


@pytest.fixture
def folder(tmp_path):
    """A small data set with the layout of aclImdb."""
    root = tmp_path / "aclImdb"
    for split in ("train", "test"):
        for label, texts in (("pos", POSITIVE), ("neg", NEGATIVE)):
            (root / split / label).mkdir(parents=True)
            for number in range(10):
                path = (
                    root / split / label / f"{number}_{7 if label == 'pos' else 2}.txt"
                )
                path.write_text(f"{texts[number % 2]} {number}", encoding="utf-8")
    (root / "train" / "unsup").mkdir()
    (root / "train" / "unsup" / "0_0.txt").write_text("no label")
    (root / "imdb.vocab").write_text("the")
    return root


@pytest.fixture
def archive(folder):
    path = folder.parent / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, "aclImdb")
    return path


def test_folder_and_archive_read_alike(folder, archive):
    splits = [
        imdb.read_split(data, "train", max_words=150, limit=None, seed=1)
        for data in (folder, folder.parent, archive)
    ]
    for texts, labels in splits:
        assert len(texts) == 20
        assert labels.sum() == 10
        assert not any("br />" in text or "no label" in text for text in texts)
        np.testing.assert_array_equal(texts, splits[0][0])
        np.testing.assert_array_equal(labels, splits[0][1])
    positive = {text.rsplit(" ", 1)[0] for text, y in zip(*splits[0], strict=True) if y}
    assert positive == {"a wonderful film I loved it", POSITIVE[1]}


def test_limit_and_max_words(folder):
    texts, labels = imdb.read_split(folder, "test", max_words=3, limit=6, seed=1)
    assert len(texts) == 6
    assert labels.tolist().count(1.0) == 3
    assert {len(text.split()) for text in texts} == {3}
    others, _ = imdb.read_split(folder, "test", max_words=150, limit=6, seed=2)
    assert list(others) != list(texts)


def test_archive_cut_short(archive):
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ValueError, match="`data` should be a folder `aclImdb`"):
        imdb.read_split(archive, "train", 150, None, 1)


@pytest.mark.parametrize(
    "argument",
    [
        "--limit=1",
        "--limit=-5",
        "--max-words=0",
        "--epochs=0",
        "--batch-size=0",
        "--validation-split=1",
    ],
)
def test_bad_numbers(argument, capsys):
    with pytest.raises(SystemExit):
        imdb.main([argument])
    assert "should be at least" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_data_that_is_not_there(tmp_path, content):
    path = tmp_path / "data.tar.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="`data` should be a folder `aclImdb`"):
        imdb.read_split(path, "train", 150, None, 1)
    with pytest.raises(ValueError, match="`data` should be a folder `aclImdb`"):
        imdb.read_split(tmp_path, "train", 150, None, 1)


def error_of(*arguments):
    """The line that the script ends with, which is all there is on a mistake."""
    with pytest.raises(SystemExit) as error:
        imdb.main(list(arguments))
    message = str(error.value)
    assert message.startswith("imdb: ") and "\n" not in message
    return message


@pytest.fixture
def apart(monkeypatch, tmp_path):
    """Leaves the working folder and TensorFlow, which other tests share, alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)


@pytest.mark.parametrize("name", ["nofile", "empty", "file"])
def test_mistaken_data_ends_in_a_line(apart, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no archive")
    message = error_of(f"--data={tmp_path / name}")
    assert "`data` should be a folder `aclImdb`, or its tar.gz" in message
    assert f"Received: {tmp_path / name}" in message
    assert "Leave --data out to fetch it" in message


def test_other_mistakes_end_in_a_line(apart, folder, tmp_path):
    (tmp_path / "file").write_text("")
    data, output = f"--data={folder}", f"--output={tmp_path / 'output'}"
    assert "no_such_preset" in error_of(data, output, "--elmo", "no_such_preset")
    assert "File exists" in error_of(data, f"--output={tmp_path / 'file'}")


def test_data_is_downloaded_once(apart, file_server, monkeypatch, tmp_path):
    """The server's file is no archive, but has the hash, and so is read."""
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path))
    monkeypatch.setattr(imdb, "_URL", file_server.address("aclImdb_v1.tar.gz"))
    assert "should be the file with the md5 7c2ac02c03" in error_of()
    found = hashlib.md5(file_server.content).hexdigest()
    monkeypatch.setattr(imdb, "_HASH", f"md5:{found}")
    for _ in range(2):
        path = tmp_path / "imdb" / "aclImdb_v1.tar.gz"
        assert f"Received: {path}" in error_of()
    assert len(file_server.requests) == 2


def test_no_network(apart, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    path = tmp_path / "imdb" / "aclImdb_v1.tar.gz"
    message = error_of()
    assert f"'{path}' is not there" in message and "put the file of http" in message


def run(*arguments):
    """Runs the script in its own process, since it makes TensorFlow deterministic."""
    command = [sys.executable, "-m", "keras_elmo.examples.imdb", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_trains_saves_and_repeats(archive, tmp_path):
    files = Golden("skip").files
    results = []
    for name in ("one", "two"):
        output = tmp_path / name
        printed = run(
            f"--data={archive}",
            *("--elmo", str(files["options"]), str(files["weights"])),
            f"--output={output}",
            "--epochs=2",
            "--limit=16",
        )
        model = keras.models.load_model(output / "model.keras")
        texts, labels = imdb.read_split(archive, "test", 150, 16, 1)
        predicted = model.predict(texts, verbose=0)[:, 0] > 0.5
        assert f"test accuracy {(predicted == labels).mean():.4f}" in printed
        assert (output / "curves.png").read_bytes().startswith(b"\x89PNG")
        results.append(model.get_weights())
    for left, right in zip(*results, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_tiny_en_is_what_it_takes(folder, tmp_path):
    output = tmp_path / "new" / "folder"
    run(f"--data={folder}", f"--output={output}", "--epochs=1", "--limit=4")
    model = keras.models.load_model(output / "model.keras")
    expected = ElmoEmbedding.from_preset("tiny_en").bilm.get_weights()
    for left, right in zip(
        model.get_layer("elmo").bilm.get_weights(), expected, strict=True
    ):
        np.testing.assert_array_equal(left, right)
