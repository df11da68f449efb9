import json
import shutil
import zipfile

import numpy as np
import pytest
from checkpoint_writer import save, tensors
from golden import FIXTURES

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.weights.open_weights import open_weights

CHECKPOINT = FIXTURES / "bilm_tf"


@pytest.fixture
def folder(tmp_path):
    """bilm-tf's own training folder, to do harm to."""
    return shutil.copytree(CHECKPOINT, tmp_path / "run")


@pytest.mark.parametrize("source", ["", "model.ckpt-1", "model.ckpt-1.index"])
def test_weights_are_those_that_bilm_tf_dumps(source):
    # Not the file beside it, of which they may well be an older state.
    assert open_weights(CHECKPOINT / source).format == "bilm-tf checkpoint"
    bilm = BiLM.from_preset(CHECKPOINT / source)
    assert bilm.sentence_boundaries
    dumped = BiLM.from_hdf5(CHECKPOINT / "options.json", CHECKPOINT / "weights.hdf5")
    for left, right in zip(bilm.variables, dumped.variables, strict=True):
        np.testing.assert_array_equal(left, right)


def test_newest_checkpoint(folder):
    arrays = tensors(folder / "model.ckpt-1")
    save(folder / "model.ckpt-2", {n: a + 1 for n, a in arrays.items()})
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2"\n')
    old, new = BiLM.from_preset(folder / "model.ckpt-1"), BiLM.from_preset(folder)
    np.testing.assert_array_equal(old.variables[1] + 1, new.variables[1])


def test_softmax_comes_along():
    model = LanguageModel.from_preset(CHECKPOINT / "model.ckpt-1", batch_size=2)
    arrays = tensors(CHECKPOINT / "model.ckpt-1")
    np.testing.assert_array_equal(model.softmax.kernel, arrays["lm/softmax/W"])
    np.testing.assert_array_equal(model.softmax.bias, arrays["lm/softmax/b"])
    assert model.vocabulary.words[3:5] == ["the", "cat"]


def test_vocabulary_from_elsewhere(folder):
    (folder / "vocabulary.txt").unlink()
    source = folder / "model.ckpt-1"
    with pytest.raises(FileNotFoundError, match=r"vocabulary\.txt.*`vocabulary`"):
        LanguageModel.from_preset(source, batch_size=2)
    words = Vocabulary.from_file(CHECKPOINT / "vocabulary.txt")
    LanguageModel.from_preset(source, batch_size=2, vocabulary=words)
    other = Vocabulary(["<S>", "</S>", "<UNK>", "the"])
    with pytest.raises(ValueError, match=r"softmax/kernel should be \(4, 4\), is \(8"):
        LanguageModel.from_preset(source, batch_size=2, vocabulary=other)


def test_one_layer_has_names_of_its_own(folder):
    arrays = {
        name.replace("multi_rnn_cell/cell_0/", ""): array
        for name, array in tensors(folder / "model.ckpt-1").items()
        if "cell_1" not in name
    }
    save(folder / "model.ckpt-2", arrays)
    options = json.loads((folder / "options.json").read_text())
    options["lstm"]["n_layers"] = 1
    (folder / "options.json").write_text(json.dumps(options))
    bilm = BiLM.from_preset(folder / "model.ckpt-2")
    full = BiLM.from_preset(CHECKPOINT / "model.ckpt-1")
    np.testing.assert_array_equal(
        bilm.bilstm.backward_layers[0].kernel, full.bilstm.backward_layers[0].kernel
    )


@pytest.mark.slow
def test_training_goes_on(folder, monkeypatch, capsys):
    """Which bilm-tf itself can't any more."""
    monkeypatch.chdir(folder)
    (folder / "text.txt").write_text("the cat sat on the mat\n" * 40)
    small = ["--batch-size", "2", "--unroll-steps", "5", "--tokens", "40"]
    command = ["train", "--from", "model.ckpt-1", "--text", "text.txt", *small]
    main([*command, "--output", "on"])
    assert "softmax" not in capsys.readouterr().out  # which needs no fitting
    words = Vocabulary.from_file("on/preset/vocabulary.txt")
    assert words == Vocabulary.from_file("vocabulary.txt")


def test_other_checkpoints_are_refused(tmp_path):
    save(tmp_path / "model", {"dense/kernel": np.zeros([2, 2], "float32")})
    with pytest.raises(ValueError, match="should hold tensors named lm/"):
        BiLM.from_preset(tmp_path)


def test_checkpoint_without_options(folder):
    (folder / "options.json").unlink()
    with pytest.raises(FileNotFoundError, match="`options` should be the path"):
        BiLM.from_preset(folder / "model.ckpt-1")


def test_simple_elmo_folder_and_archive(skip_model, tmp_path):
    expected = BiLM.from_hdf5(**skip_model.files).variables
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(skip_model.options, folder / "options.json")
    shutil.copy(skip_model.weights, folder / "model.hdf5")
    (folder / "vocab.txt").write_text("<S>\n</S>\n<UNK>\n")
    with zipfile.ZipFile(tmp_path / "193.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    for source in (folder, tmp_path / "193.zip"):
        elmo = ElmoEmbedding.from_preset(source)
        assert elmo.sentence_boundaries
        for left, right in zip(elmo.bilm.variables, expected, strict=True):
            np.testing.assert_array_equal(left, right)
