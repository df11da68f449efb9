import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import CASES, Golden

import keras_elmo

# On a GPU, TF32 would turn 1e-5 into 1e-3.
tf.config.experimental.enable_tensor_float_32_execution(False)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def docstring_names(doctest_namespace):
    doctest_namespace.update(vars(keras_elmo), keras=keras, np=np, tf=tf)


@pytest.fixture(params=CASES)
def golden(request):
    """Each of the authors' recorded models in turn."""
    return Golden(request.param)


@pytest.fixture
def skip_model():
    """One of them, where one is enough."""
    return Golden("skip")
