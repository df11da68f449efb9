import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf
from golden import CASES, Golden

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
