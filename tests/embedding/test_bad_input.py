"""What is refused, and what the errors say."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import TEXT, skip_elmo
from processes import without_extras

import keras_elmo
from keras_elmo import ElmoEmbedding


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_key": "lstm_outputs3"}, "`output_key` should be one of.*'default'"),
        ({"output_key": 1}, "`output_key` should be one of"),
        ({"finetune": "cnn"}, "`finetune` should be one of: None, 'lstm', 'all'"),
        ({"tokenizer": "words"}, "`tokenizer` should be one of"),
        ({"jit_compile": 1}, "`jit_compile` should be one of: 'auto', True, False"),
        ({"dropout": 2.0}, "`dropout` should be a number from 0"),
        ({"sentence_boundaries": "no"}, "`sentence_boundaries` should be one of"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        skip_elmo(**arguments)


def test_bad_bilm():
    with pytest.raises(ValueError, match="(?s)`bilm` should be a `BiLM`.*from_preset"):
        ElmoEmbedding("tiny_en")


def test_graph_mode_of_tensorflow_1():
    program = (
        "import tensorflow as tf, keras_elmo\n"
        "bilm = keras_elmo.BiLM([[1, 4]], units=4, projection_dim=4)\n"
        "tf.compat.v1.disable_eager_execution()\n"
        "keras_elmo.ElmoEmbedding(bilm)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=without_extras(),
        capture_output=True,
        text=True,
    )
    assert "RuntimeError: `ElmoEmbedding` needs TensorFlow 2" in done.stderr


BOUNDED = {"char_ids": np.ones((1, 2, 50), "int32"), "sequence_len": [2]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1, 2], "should be strings.*Received: int32"),
        ([0.5], "should be strings.*Received: float32"),
        ("one sentence", "pass a list of one"),
        (np.array([["a", "b"]]), "sequence_len"),
        ({"tokens": [["a"]], "sequence_len": [2]}, "0..1.*Received: 2 at row 0"),
        ({"tokens": [["a"]], "sequence_len": [-1]}, "Received: -1 at row 0"),
        ({"strings": ["a"]}, r"Received: keys \['strings'\]"),
        ({"char_ids": np.ones((1, 2, 50), "int32")}, "Received: keys"),
        ({**BOUNDED, "char_ids": np.ones((1, 2, 50))}, "should be integers"),
        ({**BOUNDED, "char_ids": np.ones((2, 50), "int32")}, "should be .batch, max_"),
        ({**BOUNDED, "char_ids": np.ones((1, 0, 50), "int32")}, "at least 1"),
        ({**BOUNDED, "sequence_len": [3]}, "0..2.*Received: 3 at row 0"),
        ({**BOUNDED, "char_ids": np.full((1, 2, 50), 262)}, "in 0..261"),
        ({**BOUNDED, "char_ids": np.full((1, 2, 50), -1)}, "in 0..261"),
        (BOUNDED, "between <S> and </S>"),
        (
            {
                "char_ids": np.ones((2, 50), "int32"),
                "token_index": np.array([[2]]),
                "sequence_len": [1],
            },
            '`"token_index"` should be rows',
        ),
    ],
)
def test_bad_inputs(frozen_elmo, inputs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        frozen_elmo(inputs)


def test_integers_without_boundaries_are_refused_in_a_graph(frozen_elmo):
    inputs = keras_elmo.ElmoPreprocessor()(TEXT)
    with pytest.raises(tf.errors.InvalidArgumentError, match="between <S> and </S>"):
        tf.function(frozen_elmo)(inputs)
    with pytest.raises(ValueError, match="between <S> and </S>"):
        frozen_elmo(inputs)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_numbers_as_symbolic_input(frozen_elmo, dtype):
    with pytest.raises(Exception, match="should be strings"):
        frozen_elmo(keras.Input((), dtype=dtype))


def test_numbers_in_a_graph_are_refused_when_it_runs(frozen_elmo):
    with pytest.raises(tf.errors.InvalidArgumentError, match="should be strings"):
        tf.function(frozen_elmo)(tf.constant([1.0, 2.0]))
