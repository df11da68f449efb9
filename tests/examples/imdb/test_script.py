import hashlib
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import Golden
from models import skip_elmo, small_elmo
from processes import without_extras

from keras_elmo import ElmoEmbedding
from keras_elmo.examples.imdb import __main__ as script
from keras_elmo.examples.imdb import arguments, experiment, heads
from keras_elmo.examples.imdb.classifier import Classifier
from keras_elmo.examples.imdb.reviews import read_reviews
from keras_elmo.files.locks import lock_beside


@pytest.mark.parametrize(
    "argument",
    [
        "--limit=1",
        "--limit=-5",
        "--max-tokens=0",
        "--epochs=0",
        "--batch-size=0",
        "--finetune-epochs=0",
        "--compare=0",
        "--learning-rate=0",
        "--adapt-epochs=-1",
        "--validation-split=1",
        "--validation-split=0",
        "--words=-1",
        "--layer=-1",
        "--dropout=1",
        "--dropout=-0.1",
        "--seeds=-1",
    ],
)
def test_bad_numbers(argument, capsys):
    with pytest.raises(SystemExit):
        script.main([argument])
    assert "should be a" in capsys.readouterr().err


def test_heads_are_those_of_the_module_that_makes_them():
    assert tuple(heads.HEADS) == arguments.HEADS


def error_of(*given):
    """The line that the script ends with, which is all there is on a mistake."""
    with pytest.raises(SystemExit) as error:
        script.main(list(given))
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


def test_other_mistakes_end_in_a_line(apart, review_folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    data, output = f"--data={review_folder}", f"--output={tmp_path / 'output'}"
    for _ in range(2):  # a mistake is not what a run goes on with
        assert "no_such_preset" in error_of(data, output, "--elmo", "no_such_preset")
    adapt = data, f"--output={tmp_path / 'new'}", "--adapt"
    for name in "no_such_text", "another":
        message = error_of(*adapt, f"--adapt-text={name}")
        assert "No such file" in message and name in message
    (review_folder / "train" / "unsup" / "0_0.txt").unlink()
    assert "reviews without a label" in error_of(*adapt)
    for limit in (50, 5):
        message = error_of(data, f"--output={tmp_path / 'file'}", f"--limit={limit}")
        assert "File exists" in message
        printed = capsys.readouterr().out
        assert ("--limit 50: there are no more than 20" in printed) == (limit == 50)
        assert ("there are no more" in printed) == (limit == 50)


def test_other_weights_at_the_same_place_are_refused(apart, review_folder, tmp_path):
    (tmp_path / "file").write_text("")  # in place of a folder, so that it ends early
    preset = str(tmp_path / "preset")
    given = f"--data={review_folder}", f"--output={tmp_path / 'run'}"
    given = *given, f"--vectors={tmp_path / 'file'}"
    elmo = skip_elmo()
    elmo.save_to_preset(preset)
    for _ in range(2):
        assert str(tmp_path / "file") in error_of(*given, "--elmo", preset)
    elmo.set_weights([0.5 * value for value in elmo.get_weights()])
    elmo.save_to_preset(preset, overwrite=True)
    message = error_of(*given, "--elmo", preset)
    assert "should go on with what it began with. Received: weights " in message


def test_fine_tuning_may_follow_later(review_folder, tmp_path):
    def begin(*given):
        args = arguments.parse([*given, f"--output={tmp_path}"])
        splits = experiment._read_splits(args, review_folder)
        experiment._begin(args, review_folder, splits, "weights")

    begin()
    begin("--finetune=all", "--finetune-epochs=1", "--finetune-learning-rate=1e-4")
    with pytest.raises(ValueError, match="Received: epochs 8, now 9"):
        begin("--epochs=9")


def test_room_for_vectors_of_weights_to_come(
    apart, review_folder, tmp_path, monkeypatch
):
    """Those of the weights that are to be adapted are there, and are of no use."""
    given = f"--data={review_folder}", f"--output={tmp_path}", "--limit=4", "--adapt"
    args = arguments.parse(given)
    splits = experiment._read_splits(args, review_folder)
    experiment._vectors(args, args.elmo, splits)
    usage = SimpleNamespace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert "are needed for vectors and 0 bytes are free" in error_of(*given)
    assert not (tmp_path / "adapted").exists()


def test_another_run_at_work_is_told(apart, review_folder, tmp_path):
    output = tmp_path / "output"
    with lock_beside(output):
        message = error_of(f"--data={review_folder}", f"--output={output}")
    assert "`--output` should be a path that no other process writes to" in message
    assert not output.exists()


def test_data_is_downloaded_once(apart, file_server, monkeypatch, tmp_path):
    """The server's file is no archive, but has the hash, and so is read."""
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path))
    monkeypatch.setattr(experiment, "URL", file_server.address("aclImdb_v1.tar.gz"))
    assert "should be the file with the md5 7c2ac02c03" in error_of()
    found = hashlib.md5(file_server.content).hexdigest()
    monkeypatch.setattr(experiment, "HASH", f"md5:{found}")
    for _ in range(2):
        path = tmp_path / "imdb" / "aclImdb_v1.tar.gz"
        assert f"Received: {path}" in error_of()
    assert len(file_server.requests) == 2


def test_no_network(apart, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    path = tmp_path / "imdb" / "aclImdb_v1.tar.gz"
    message = error_of()
    assert f"'{path}' should be there" in message and "put the file of http" in message


def test_a_layer_that_is_not_there_is_told_first(apart, review_folder, tmp_path):
    message = error_of(f"--data={review_folder}", f"--output={tmp_path}", "--layer=3")
    assert "should be one of the 3 layers of these weights" in message
    assert not (tmp_path / "vectors").exists()


def test_finetuning_bounds_its_gradients(review_folder, tmp_path, monkeypatch):
    """A bound that is near to nothing shows: Adam's epsilon is large beside it."""
    given = ("--limit=8", "--batch-size=2", "--finetune=all", "--finetune-epochs=1")
    moved = []
    for bound in (experiment._CLIP_NORM, 1e-12):
        monkeypatch.setattr(experiment, "_CLIP_NORM", bound)
        args = arguments.parse([*given, f"--output={tmp_path / str(bound)}"])
        splits = experiment._read_splits(args, review_folder)
        elmo = small_elmo(output_key="elmo", finetune="all")
        model = Classifier(elmo, "mean", args.max_tokens, seed=1)
        variables = model.on_text.trainable_variables
        before = [variable.numpy() for variable in variables]
        experiment._finetune(args, model, splits, 1)
        after = [variable.numpy() for variable in variables]
        changes = zip(before, after, strict=True)
        moved.append(max(np.abs(left - right).max() for left, right in changes))
    assert moved[1] < 1e-7 < 1e-4 < moved[0]


def run(*given):
    """Runs the script in its own process, since it makes TensorFlow deterministic."""
    command = [sys.executable, "-m", "keras_elmo.examples.imdb", *given]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


LOAD = """
import sys, keras, numpy as np
import keras_elmo.examples.imdb.layers
model = keras.models.load_model(sys.argv[1])
texts = np.array(sys.argv[2:], dtype=object)
print(*model.predict(texts, verbose=0)[:, 0])
"""


def predicted_elsewhere(path, texts):
    """What the saved model tells in a process that has imported its layers alone."""
    command = [sys.executable, "-c", LOAD, path, *texts]
    printed = subprocess.run(
        command, env=without_extras(), check=True, capture_output=True, text=True
    )
    return np.array(printed.stdout.split(), "float32")


def interrupted(output, copy):
    """Copies what there was when the second frozen epoch began."""
    shutil.copytree(output, copy)
    for path in ("finetuned-all-1", "from_scratch", "saved_model"):
        shutil.rmtree(copy / path)
    for path in ("frozen-1/epoch-2.npz", "model.keras", "report.md"):
        (copy / path).unlink()


@pytest.mark.slow
def test_trains_finetunes_saves_and_goes_on(review_folder, tmp_path):
    files = Golden("skip").files
    results = []
    for name in ("one", "two"):
        output = tmp_path / name
        if name == "two":
            interrupted(tmp_path / "one", output)
        printed = run(
            f"--data={review_folder}",
            *("--elmo", str(files["options"]), str(files["weights"])),
            f"--output={output}",
            "--epochs=2",
            "--finetune-epochs=1",
            "--limit=16",
            "--finetune=all",
            "--head=mean",
            "--words=4",
            "--dropout=0.2",
            "--compare=7",
            *(["--baseline"] if name == "one" else []),
        )
        assert (
            "finetuned (all), mean with word embeddings, seed 1: test accuracy"
            in printed
        )
        assert ("TF-IDF of words and pairs" in printed) == (name == "one")
        assert printed.index("are to come") < printed.index("of them to compute")
        done = re.findall(r"(\d) of them to compute", printed)
        assert done == (["1"] * 3 if name == "one" else ["0"] * 3)
        model = keras.models.load_model(output / "model.keras")
        results.append(model.get_weights())
    assert model.get_layer("words").dim == 4
    rates = [layer.rate for layer in model.layers if "dropout" in layer.name]
    assert sorted(rates) == [0.2, 0.5]
    for left, right in zip(*results, strict=True):
        np.testing.assert_array_equal(left, right)
    texts = read_reviews(review_folder, "test", 400, 16, 1).texts
    expected = model.predict(np.array(texts, dtype=object), verbose=0)[:, 0]
    np.testing.assert_allclose(
        predicted_elsewhere(output / "model.keras", texts), expected, atol=1e-5
    )
    served = tf.saved_model.load(str(output / "saved_model"))
    np.testing.assert_allclose(
        served.serve(tf.constant(texts))[:, 0], expected, atol=1e-5
    )
    report = (output / "report.md").read_text()
    assert (
        "| frozen, mean with word embeddings, seed 1 |" in report
        and "--limit=16" in report
    )
    difference = re.search(r"difference of 7 probabilities.* kept: (\S+)", report)[1]
    assert 0 < float(difference) < 1e-4


@pytest.mark.slow
def test_adapts_tiny_en_by_default(review_folder, tmp_path):
    output = tmp_path / "new" / "folder"
    given = (f"--data={review_folder}", f"--output={output}", "--epochs=1", "--adapt")
    run(*given, "--limit=4", "--adapt-epochs=100")  # some steps of so little text
    model = keras.models.load_model(output / "model.keras")
    adapted = ElmoEmbedding.from_preset(output / "adapted" / "preset")
    original = ElmoEmbedding.from_preset("tiny_en")
    weights = model.get_layer("elmo").bilm.get_weights()
    for left, right in zip(weights, adapted.bilm.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    pairs = zip(weights, original.bilm.get_weights(), strict=True)
    assert any((left != right).any() for left, right in pairs)
    told = (output / "unlabelled.txt").read_text().splitlines()
    assert told[0] == "no label" and len(told) == 4
