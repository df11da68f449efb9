import shutil
import warnings

import pytest
from allennlp_runs import AllenNLPRun
from refusal import refused

from keras_elmo.compat.allennlp import Elmo, ElmoEmbedder, files
from keras_elmo.compat.allennlp.files import open_files

ADDRESS = (
    "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/"
    "2x1024_128_2048cnn_1xhighway/elmo_2x1024_128_2048cnn_1xhighway_{}"
)
OPTIONS, WEIGHTS = ADDRESS.format("options.json"), ADDRESS.format("weights.hdf5")


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    """The two files where a download of AllenNLP's small model would be."""
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    folder = tmp_path / "allennlp" / "small"
    folder.mkdir(parents=True)
    for path in AllenNLPRun("skip").files:
        shutil.copy(path, folder)
    return folder


def test_without_files_it_is_tiny_en_and_says_so_once():
    files._say_default.cache_clear()
    with pytest.warns(UserWarning, match="'tiny_en'.*allennlp/original") as told:
        elmo = ElmoEmbedder()
    # What others leave open is told of too, whenever it happens to be collected.
    ours = [warning for warning in told if "tiny_en" in str(warning.message)]
    assert [warning.filename for warning in ours] == [__file__]
    assert elmo.bilm.projection_dim == 128 and elmo.bilm.sentence_boundaries
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Elmo().get_output_dim() == 256


@pytest.mark.parametrize(
    "names",
    [
        (OPTIONS, WEIGHTS),
        (OPTIONS, None),
        (None, WEIGHTS),
        ("allennlp/small", None),
        ("allennlp/small", "allennlp/small"),
        ("allennlp/small", WEIGHTS),
    ],
)
def test_addresses_and_names(names, downloaded):
    stored = open_files(*names)
    assert stored.origin == str(downloaded / "weights.hdf5")
    assert stored.described_in == str(downloaded / "options.json")


def test_paths(downloaded):
    options, weights = AllenNLPRun("skip").files
    assert open_files(options, weights).origin == str(weights)
    assert open_files(str(options), WEIGHTS).origin == str(downloaded / "weights.hdf5")
    assert open_files(weight_file=weights).described_in == str(options)
    assert open_files("tiny_en", "tiny_en").arguments["projection_dim"] == 128


def test_what_is_not_there(downloaded):
    options, weights = AllenNLPRun("skip").files
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        open_files("nothing.json", weights)
    with pytest.raises(FileNotFoundError, match="'nothing'.*none of these"):
        ElmoEmbedder("nothing")
    with refused("should be a JSON file", str(weights)):
        open_files(weights, options)
    with refused("`options_file` and `weight_file`", "5 of type int"):
        open_files(options, 5)
