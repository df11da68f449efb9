"""Eight threads at once, on one layer and on one SavedModel."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from models import skip_elmo

pytestmark = pytest.mark.slow

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "dogs", "ran", "in", "fog"]
THREADS = 8


def sentences_of(number):
    """Batches of sizes that differ from thread to thread."""
    rows = 1 + number % 3
    return [" ".join(WORDS[number % 7 : 4 + number + row]) for row in range(rows)]


def test_a_layer_and_a_saved_model(tmp_path):
    reference = skip_elmo()
    batches = [tf.constant(sentences_of(number)) for number in range(12)]
    expected = [reference(batch) for batch in batches]
    reference.export(tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    # A new layer has no graph yet, so that all threads want to make one at once.
    for function in (skip_elmo(), loaded):
        with ThreadPoolExecutor(THREADS) as threads:
            results = [*threads.map(function, batches * 2)]
        for outputs, same in zip(results, expected * 2, strict=True):
            for name in same:
                np.testing.assert_allclose(outputs[name], same[name], rtol=0, atol=1e-6)
