"""Keras' own published holes, tried on what this package reads."""

import json
import shutil

import h5py
import numpy as np
import pytest
from golden import Golden
from refusal import read_all, refused, takes_little

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.presets import locate
from keras_elmo.weights.formats import allennlp

NAME = "CNN/W_cnn_0"


@pytest.fixture
def preset(tmp_path):
    return shutil.copytree(locate("tiny_en"), tmp_path / "preset")


@pytest.fixture
def weights(tmp_path):
    return shutil.copy(Golden("skip").weights, tmp_path / "weights.hdf5")


def change(preset, section, **values):
    path = preset / "config.json"
    config = json.loads(path.read_text())
    config[section].update(values)
    path.write_text(json.dumps(config))
    return path


def replaced(weights, shape, **kwargs):
    with h5py.File(weights, "r+") as file:
        del file[NAME]
        file.create_dataset(NAME, shape, "f4", **kwargs)
    return weights


FUNCTION = {
    "module": "os",
    "class_name": "function",
    "config": "system",
    "registered_name": "function",
    "inbound_nodes": [{"args": ["touch called"], "kwargs": {}}],
}
LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4w"}}},
}


@pytest.mark.parametrize(
    "value", [FUNCTION, LAMBDA], ids=["cve_2025_1550", "cve_2025_9905"]
)
def test_code_in_a_config(preset, monkeypatch, value):
    """A config names any function, or holds a Lambda's bytecode, which loading runs."""
    monkeypatch.chdir(preset)
    path = change(preset, "bilm", activation=value)
    with refused(path, "`activation` should be the name", "fetch the file again"):
        BiLM.from_preset(preset)
    assert not (preset / "called").exists()


@pytest.mark.parametrize("place", ["{secret}", "file://{secret}", "http://127.0.0.1/"])
def test_cve_2025_12058_vocabulary_that_is_a_path(preset, tmp_path, place):
    """A StringLookup's vocabulary names a file or an address, which loading reads."""
    secret = tmp_path / "secret.txt"
    secret.write_text("password\n")
    path = change(preset, "embedding", cached_words=place.format(secret=secret))
    with refused(path, "'cached_words' is no list of words", "fetch the preset again"):
        ElmoEmbedding.from_preset(preset)


def test_cve_2026_0897_shape_that_takes_all_memory(weights):
    """An HDF5 file of a few bytes declares a tensor of petabytes."""
    replaced(weights, (10**9, 10**6), chunks=(1000, 1000))
    said = NAME, "0 bytes are there", "fetch it again"
    with takes_little(), refused(weights, *said):
        read_all(allennlp.open_pair(Golden("skip").options, weights))


def test_cve_2026_1669_storage_in_another_file(weights, tmp_path):
    """An HDF5 tensor's numbers are those of any file of the machine."""
    secret = tmp_path / "secret"
    secret.write_bytes(np.arange(15, dtype="float32").tobytes())
    replaced(weights, (1, 1, 5, 3), external=[(str(secret), 0, 60)])
    with refused(weights, NAME, "refers to another file", "fetch it again"):
        read_all(allennlp.open_pair(Golden("skip").options, weights))
