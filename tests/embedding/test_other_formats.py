"""ONNX and LiteRT, by Keras' own export of a model that takes integers."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE, assert_close
from models import skip_elmo

from keras_elmo import ElmoPreprocessor

pytestmark = pytest.mark.slow

TEXT = ["The cat sat on the mat .", "Dogs"]
LONGER = ["one two three four five six seven eight nine ten", "a", "", "b c"]


@pytest.fixture(scope="module")
def elmo():
    return skip_elmo(jit_compile=False)


@pytest.fixture(scope="module")
def model(elmo):
    inputs = {
        "char_ids": keras.Input((None, 50), dtype="int32", name="char_ids"),
        "sequence_len": keras.Input((), dtype="int32", name="sequence_len"),
    }
    model = keras.Model(inputs, elmo(inputs))
    model(preprocessed(TEXT))  # Keras exports no model that was never called.
    return model


def preprocessed(sentences):
    preprocessor = ElmoPreprocessor(sentence_boundaries=True)
    encoded = preprocessor(sentences)
    return {name: np.asarray(x, "int32") for name, x in encoded.items()}


def export(model, path, **kwargs):
    try:
        model.export(path, verbose=False, **kwargs)
    except (ValueError, TypeError) as error:
        if "format" not in str(error):
            raise
        pytest.skip(f"this Keras has no such format: {error}")


def test_onnx(elmo, model, tmp_path):
    pytest.importorskip("tf2onnx", reason="no tf2onnx here")
    onnxruntime = pytest.importorskip("onnxruntime", reason="no onnxruntime here")
    path = str(tmp_path / "model.onnx")
    export(model, path, format="onnx")
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    for sentences in (TEXT, LONGER):  # of any size
        arrays = session.run(None, preprocessed(sentences))
        assert_close(dict(zip(names, arrays, strict=True)), dict(elmo(sentences)))


def test_litert(elmo, model, tmp_path):
    """Of one size, since LiteRT has no loop over another number of steps."""
    inputs = preprocessed(TEXT)
    signature = {k: tf.TensorSpec(x.shape, "int32", name=k) for k, x in inputs.items()}
    path = str(tmp_path / "model.tflite")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its interpreter, which will move
        export(model, path, format="litert", input_signature=[signature])
        interpreter = tf.lite.Interpreter(path)
    ops = {details["op_name"] for details in interpreter._get_ops_details()}
    assert not [name for name in ops if name.startswith("Flex")]
    outputs = interpreter.get_signature_runner()(**inputs)
    expected = elmo(TEXT)
    assert len(outputs) == 5
    for name, array in outputs.items():
        np.testing.assert_allclose(array, expected[name], **TOLERANCE)
