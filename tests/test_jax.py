"""The numeric core on Keras' JAX backend: the same numbers, compiled too."""

import importlib.util
import os
import subprocess
import sys

import pytest
from golden import CASES, FIXTURES

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
from keras_elmo import BiLM, ElmoEmbedding

assert keras.backend.backend() == "jax"


def check(folder, eagerly):
    bilm = BiLM.from_hdf5(f"{folder}/options.json", f"{folder}/weights.hdf5")
    golden = np.load(f"{folder}/golden.npz")
    weights = [variable.value for variable in bilm.trainable_variables]

    def core(weights, char_ids):
        return bilm.stateless_call(weights, [], char_ids)[0]

    compiled = jax.jit(core)
    runs = [lambda ids: compiled(weights, ids), *([bilm] if eagerly else [])]
    for run in runs:
        layers = [np.asarray(layer)[:, 1:-1] for layer in run(golden["char_ids_0"])]
        layers[0] = np.concatenate([layers[0]] * 2, axis=-1)
        for index, layer in enumerate(layers):
            expected = golden["layers_0"][:, index]
            mask = golden["mask_0"][..., None]
            np.testing.assert_allclose(layer * mask, expected * mask, rtol=0, atol=1e-5)

    # For a platform that is not here: one loop an LSTM, however long the rows are.
    for time in (8, 64):
        traced = compiled.trace(weights, np.full((2, time, 50), 261, "int32"))
        lowered = traced.lower(lowering_platforms=("cuda",)).as_text()
        assert lowered.count("stablehlo.while") == 4, time
        assert "custom_call" not in lowered, time
    return bilm


for folder in sys.argv[1:]:
    try:
        # JAX compiles each step of an eager call by itself; one model shows as much.
        bilm = check(folder, eagerly=folder == sys.argv[1])
    except Exception as error:
        error.add_note(f"The model is {folder}.")
        raise
try:
    ElmoEmbedding(bilm)
except RuntimeError as error:
    assert "TensorFlow backend" in str(error)
else:
    raise AssertionError("ElmoEmbedding takes strings on JAX?")
"""


def test_core_on_jax():
    folders = [FIXTURES / case for case in CASES]
    command = [sys.executable, "-c", PROGRAM, *folders]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
