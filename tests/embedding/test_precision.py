"""Half precision."""

import numpy as np
import pytest
import tensorflow as tf
from models import TEXT, skip_bilm, skip_elmo

from keras_elmo import ElmoEmbedding
from keras_elmo.embedding.outputs import mean_over_tokens

# Values are rounded this often one after another: 9 times in the token encoder and 10
# times in each LSTM layer. (Roundings of earlier time steps fade with the memory.)
ROUNDINGS = 9 + 2 * 10


def cosines(left, right):
    """The cosine of each pair of vectors that are not 0."""
    norms = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    return np.sum(left * right, axis=-1)[norms > 0] / norms[norms > 0]


@pytest.mark.parametrize(
    ("dtype", "unit_roundoff"), [("mixed_float16", 2**-11), ("mixed_bfloat16", 2**-8)]
)
def test_mixed_precision(frozen_elmo, dtype, unit_roundoff):
    """By the norm of the error, since single values may be off by more.

    Roundings are independent, so their squares add up; gates and clips keep them from
    growing. Where a CPU has no instructions for bfloat16, TensorFlow rounds partial
    sums too, which doubles the error.
    """
    bound = 2 * ROUNDINGS**0.5 * unit_roundoff
    half = skip_elmo(dtype=dtype)
    outputs, expected = half(TEXT), frozen_elmo(TEXT)
    for key, value in outputs.items():
        assert value.dtype.name == half.compute_dtype == dtype.removeprefix("mixed_")
        value = tf.cast(value, "float32").numpy()
        error = np.linalg.norm(value - expected[key])
        assert error <= bound * np.linalg.norm(expected[key])
        # Each token counts by itself, as the norm of all would hide a few bad ones.
        assert cosines(value, expected[key].numpy()).min() >= 0.999
    assert {v.dtype for v in half.variables} == {"float32"}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mean_of_a_long_row_in_half_precision(dtype):
    """Neither the sum nor the number of tokens fits there."""
    elmo = tf.cast(tf.fill([1, 5000, 2], 30.0), dtype)
    mean = mean_over_tokens(elmo, tf.ones([1, 5000], "bool"))
    assert mean.dtype == dtype
    np.testing.assert_array_equal(tf.cast(mean, "float32"), [[30.0, 30.0]])


def test_bfloat16_keeps_its_range():
    """It holds larger numbers than float16, through which nothing may go."""
    elmo = skip_elmo(dtype="mixed_bfloat16")
    bias = elmo.bilm_variables()["projection/bias"]
    bias.assign(np.full(bias.shape, 2.0**20))
    for jit_compile in (True, False):
        again = ElmoEmbedding(elmo.bilm, jit_compile=jit_compile)
        outputs = again(["the cat"])["word_emb"]
        np.testing.assert_array_equal(tf.cast(outputs, "float32"), 2.0**20)


def test_float16_keeps_its_digits():
    """It has three more than bfloat16, through which nothing may go."""
    for value in skip_elmo(dtype="mixed_float16")([TEXT[0]]).values():
        fewer = tf.cast(tf.cast(value, "bfloat16"), "float16")
        assert (fewer != value).numpy().mean() > 0.5


def test_dtype_is_that_of_the_bilm():
    with pytest.raises(ValueError, match="`dtype` should be that of `bilm`"):
        ElmoEmbedding(skip_bilm(), dtype="mixed_float16")
