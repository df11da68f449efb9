"""Fixtures of all tests.

TensorFlow and Keras are imported by the functions that need them, because this file is
also read by the process that gives the tests to the workers and runs none.
"""

import gc
import os
import threading

import pytest
from file_server import FileServer
from golden import CASES, Golden, assert_close

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_collection_finish():
    """Prepares a process that runs tests.

    What was imported is kept out of garbage collection. These are half a million
    objects that stay, and each full collection would go through all of them. A graph
    makes so many more that it would set off several.
    """
    import tensorflow as tf

    # The tests compare to 1e-5, and a GPU's TF32 is only exact to 1e-3.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


# Folders whose tests make no random weights, and need not wait for Keras to reset.
UNSEEDED = {"bulk", "files", "hostile", "presets"}


@pytest.fixture(autouse=True)
def seeded(request):
    """The same random weights and layer names whichever tests ran before."""
    if UNSEEDED.isdisjoint(folder.name for folder in request.path.parents[:2]):
        import keras

        # Its `gc.collect()` is left out, since it takes longer than most tests.
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)


@pytest.fixture(params=CASES)
def golden(request):
    """Each of the authors' recorded models in turn."""
    return Golden(request.param)


@pytest.fixture
def skip_model():
    """One of the recorded models, where a test needs no more than one."""
    return Golden("skip")


@pytest.fixture(scope="session")
def frozen_elmo():
    """The model of `skip_model`, loaded once, for tests that change nothing of it."""
    from models import skip_elmo

    elmo = skip_elmo()
    before = elmo.get_weights()
    yield elmo
    assert_close(elmo.get_weights(), before, atol=0)
    assert len(elmo.trainable_variables) == 2
    # Nor may it be part of a Keras model, or share its biLM with another embedding.
    assert not hasattr(elmo, "input")
    assert "shared_object_id" not in elmo.bilm.serialize()


@pytest.fixture
def file_server(monkeypatch):
    """A web server on this machine; see `FileServer`."""
    from keras_elmo.files import fetch

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("KERAS_ELMO_OFFLINE", raising=False)
    monkeypatch.setattr(fetch, "_WAIT", 0.0)
    monkeypatch.setattr(fetch, "_BLOCK", 100)
    with FileServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield server
        server.shutdown()
