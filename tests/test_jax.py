"""The numeric core on Keras' JAX backend: the same numbers, compiled too."""

import importlib.util
import os
import subprocess
import sys

import pytest
from golden import FIXTURES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="jax is not installed"
    ),
]

PROGRAM = """
import sys
import jax
import keras
import numpy as np
from keras_elmo import BiLM, ElmoEmbedding, ElmoPreprocessor

assert keras.backend.backend() == "jax"
folder, case = sys.argv[1:]
bilm = BiLM.from_hdf5(f"{folder}/options.json", f"{folder}/weights.hdf5")
golden = np.load(f"{folder}/golden.npz")
weights = [variable.value for variable in bilm.trainable_variables]


def core(weights, char_ids):
    return bilm.stateless_call(weights, [], char_ids)[0]


for run in (bilm, lambda ids: jax.jit(core)(weights, ids)):
    layers = [np.asarray(layer)[:, 1:-1] for layer in run(golden["char_ids_0"])]
    layers[0] = np.concatenate([layers[0]] * 2, axis=-1)
    for index, layer in enumerate(layers):
        expected = golden["layers_0"][:, index]
        mask = golden["mask_0"][..., None]
        np.testing.assert_allclose(layer * mask, expected * mask, rtol=0, atol=1e-5)

lowered = jax.jit(core).trace(weights, golden["char_ids_0"])
assert "stablehlo" in lowered.lower(lowering_platforms=("cuda",)).as_text()
try:
    ElmoEmbedding(bilm)
except RuntimeError as error:
    assert "TensorFlow backend" in str(error)
else:
    raise AssertionError("ElmoEmbedding takes strings on JAX?")
"""


def test_core_on_jax(golden):
    command = [sys.executable, "-c", PROGRAM, FIXTURES / golden.case, golden.case]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
