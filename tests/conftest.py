import os
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf
from file_server import FileServer
from golden import CASES, Golden

from keras_elmo.files import fetch

# On a GPU, TF32 would turn 1e-5 into 1e-3.
tf.config.experimental.enable_tensor_float_32_execution(False)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)


@pytest.fixture(params=CASES)
def golden(request):
    """Each of the authors' recorded models in turn."""
    return Golden(request.param)


@pytest.fixture
def skip_model():
    """One of them, where one is enough."""
    return Golden("skip")


@pytest.fixture
def file_server(monkeypatch):
    """A web server on this machine; see `FileServer`."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("KERAS_ELMO_OFFLINE", raising=False)
    monkeypatch.setattr(fetch, "_WAIT", 0.0)
    monkeypatch.setattr(fetch, "_BLOCK", 100)
    with FileServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield server
        server.shutdown()
