import keras
import numpy as np
import pytest
from golden import assert_close
from models import skip_bilm

from keras_elmo import ElmoPreprocessor

SENTENCES = ["the cat is on the mat", "dogs", ""]


def test_three_forms_of_integers_agree():
    bilm = skip_bilm()
    dense = ElmoPreprocessor()(SENTENCES)
    distinct = ElmoPreprocessor(distinct=True)(SENTENCES)
    expected = bilm(dense["char_ids"])
    assert_close(bilm(dense), expected)
    assert_close(bilm(distinct), expected)
    assert_close(bilm({k: v.numpy() for k, v in distinct.items()}), expected)


@pytest.mark.parametrize("distinct", [True, False])
def test_tokens_past_the_length_are_ignored(distinct):
    bilm = skip_bilm()
    integers = ElmoPreprocessor(distinct=distinct)(SENTENCES)
    expected = bilm(integers)
    name = "token_index" if distinct else "char_ids"
    integers = {key: value.numpy() for key, value in integers.items()}
    integers[name][1, 1:] = integers[name][0, 1:]
    assert_close(bilm(integers), expected)
    for layer in bilm(integers):
        np.testing.assert_array_equal(layer[1, 1:], 0)


def test_state_is_that_of_each_rows_own_end():
    bilm = skip_bilm(return_state=True)
    char_ids = ElmoPreprocessor()(SENTENCES)["char_ids"]
    _, state = bilm(char_ids)
    _, alone = bilm(char_ids[1:2, :1])
    assert len(state) == 4 * 2
    assert [tuple(s.shape) for s in state] == [(3, 12), (3, 48)] * 4
    for batch, single in zip(state, alone, strict=True):
        assert_close(batch[1], single[0])
        np.testing.assert_array_equal(batch[2], 0)  # no token, no step


def test_outputs_carry_their_mask():
    integers = ElmoPreprocessor()(SENTENCES)
    inputs = {
        key: keras.Input(batch_shape=[None] * len(value.shape), dtype="int32", name=key)
        for key, value in integers.items()
    }
    bilm = skip_bilm()
    model = keras.Model(inputs, keras.layers.LSTM(2)(bilm(inputs)[-1]))
    alone = model(ElmoPreprocessor()(["dogs"]))
    assert_close(model(integers)[1:2], alone)
    masks = bilm.compute_mask(integers)
    assert len(masks) == 3
    np.testing.assert_array_equal(np.sum(masks[0], axis=1), [6, 1, 0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.ones((2, 50), "int32"), r"Received: a tensor of shape \(2, 50\)"),
        ({"char_ids": np.ones((1, 2, 50), "int32")}, r"keys \['char_ids'\]"),
        (np.ones((1, 2, 50), "float32"), "should be character ids"),
        (np.ones((1, 2, 51), "int32"), "at most `max_characters`"),
    ],
)
def test_bad_inputs(inputs, message):
    with pytest.raises(ValueError, match=message):
        skip_bilm()(inputs)
