import h5py
import numpy as np
import pytest
from allennlp_runs import AllenNLPRun
from golden import assert_close

from keras_elmo.cli.main import main

TEXT = (
    "The cryptocurrency space is now figuring out to have the highest search on "
    "Google globally .\nBitcoin alone has a sixty percent share of global search .\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with the text of AllenNLP's tutorial."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentences.txt").write_text(TEXT)
    return tmp_path


def files():
    options, weights = map(str, AllenNLPRun("skip").files)
    return ["--options-file", options, "--weight-file", weights]


def test_the_command_of_allennlp(folder, capsys):
    main(["elmo", "sentences.txt", "elmo_layers.hdf5", "--all"])
    printed = capsys.readouterr()
    assert printed.out == "wrote elmo_layers.hdf5\n"
    assert "'tiny_en'" in printed.err and "\n" not in printed.err.strip()
    h5py_file = h5py.File("elmo_layers.hdf5", "r")
    embedding = h5py_file.get("0")
    assert embedding.shape == (3, 16, 256)
    assert len(embedding) == 3 and len(embedding[0]) == 16


def test_all_arguments_of_allennlp_and_stateful(folder, capsys):
    rest = "--average --vocab-path v.txt --batch-size 1 --file-friendly-logging "
    rest += "--cuda-device -1 --use-sentence-keys --include-package mine --stateful"
    main(["elmo", "sentences.txt", "carried.hdf5", *rest.split(), *files()])
    told = capsys.readouterr().err
    assert "--vocab-path has no effect" in told and "--include-package has no" in told
    main(["elmo", "sentences.txt", "layers.hdf5", "--all", "--forget", *files()])
    first, second = TEXT.splitlines()
    with (
        h5py.File("carried.hdf5", "r") as carried,
        h5py.File("layers.hdf5", "r") as file,
    ):
        assert carried.keys() == {first, second} and file.keys() == {"0", "1"}
        assert_close(carried[first][()], file["0"][()].mean(axis=0))
        difference = carried[second][()] - file["1"][()].mean(axis=0)
    assert np.abs(difference).max() > 0.01  # it started where the first one had ended


@pytest.mark.parametrize("layers", [[], ["--all", "--top"], ["--top", "--average"]])
def test_one_of_three_is_needed(layers, folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["elmo", "sentences.txt", "layers.hdf5", *layers])
    assert ended.value.code == 2
    assert "--all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.txt", "layers.hdf5"], r"keras-elmo elmo: .*none\.txt"),
        (["empty.txt", "layers.hdf5"], "empty lines.*indexes.*1"),
        (["empty.txt", "empty.txt"], "should not be the text itself"),
        (["sentences.txt", "layers.hdf5", "--batch-size", "0"], "`batch_size`"),
        (["sentences.txt", "layers.hdf5", "--cuda-device", "7"], "`cuda_device`"),
        (["sentences.txt", "layers.hdf5", "--weight-file", "none"], "'none'|none"),
    ],
)
def test_mistakes_end_in_one_line(arguments, message, folder):
    (folder / "empty.txt").write_text("a\n\nb\n")
    with pytest.raises(SystemExit, match=message) as ended:
        main(["elmo", "--all", *files(), *arguments])
    assert "\n" not in str(ended.value)
    assert not (folder / "layers.hdf5").exists()
