import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from refusal import PROPERTY

from keras_elmo.bulk.formats.scaled_int16 import from_stored, stored_dtype, to_stored

SHAPES = st.sampled_from([(3, 4), (2, 3, 2), (2, 1), (0, 2), (4,), (20, 200)])
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(PROPERTY, max_examples=300)
@given(vectors=hnp.arrays("float32", SHAPES, elements=FLOATS))
def test_off_by_half_a_step_at_most(vectors):
    found = from_stored(to_stored(vectors))
    assert found.dtype == "float32" and found.shape == vectors.shape
    largest = np.abs(vectors.astype("float64")).max(axis=-1, initial=0, keepdims=True)
    # A scale below the normal numbers of float32 would itself be rounded too much.
    smallest = 2.0 * 32767 * np.finfo("float32").tiny
    bound = np.maximum(largest / 65000, np.minimum(largest, smallest))
    assert (np.abs(found.astype("float64") - vectors) <= bound).all()


def test_each_vector_has_a_scale_of_its_own():
    rows = [[3e38, -1e38], [-3.0, 1.0], [1e-20, 0.0], [0.0, 0.0]]
    vectors = np.array(rows, "float32")
    stored = to_stored(vectors)
    assert stored.dtype == stored_dtype(2) and stored.dtype.itemsize == 8
    assert stored["numbers"].tolist() == [
        [32767, -10922],
        [-32767, 10922],
        [32767, 0],
        [0, 0],
    ]
    np.testing.assert_allclose(from_stored(stored)[:, 0], vectors[:, 0], rtol=1e-6)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_what_no_integer_stands_for_is_refused(number):
    with pytest.raises(FloatingPointError, match="should be finite"):
        to_stored(np.array([[1.0, number]], "float32"))
