import numpy as np
import pytest
from allennlp_runs import AllenNLPRun
from oracles import char_ids
from refusal import refused

from keras_elmo.compat.allennlp import batch_to_ids


def test_ids_are_those_of_allennlp():
    run = AllenNLPRun("skip")
    ids = batch_to_ids(run.others)
    assert ids.dtype == "int64" and ids.shape[2] == 50
    np.testing.assert_array_equal(ids, run.arrays["ids"])


def test_every_kind_of_token():
    tokens = ["a", "", "<S>", "</S>", "é" * 40, "x" * 60, "日本語"]
    ids = batch_to_ids([tokens, ["b"]])
    assert ids.shape == (2, 7, 50)
    expected = [char_ids(token.encode()) for token in tokens]
    np.testing.assert_array_equal(ids[0], expected)
    np.testing.assert_array_equal(ids[1, 0], char_ids(b"b"))
    assert not ids[1, 1:].any()


def test_half_a_character_is_left_out_as_in_allennlp():
    np.testing.assert_array_equal(batch_to_ids([["\ud800a"]]), batch_to_ids([["a"]]))


@pytest.mark.parametrize("batch", [[], [[]], [[], []]])
def test_no_token(batch):
    assert batch_to_ids(batch).shape == (len(batch), 0, 50)


@pytest.mark.parametrize(
    ("batch", "parts"),
    [
        ("the cat", ["`batch` should be a list of lists of tokens", "'the cat'"]),
        (5, ["`batch` should be a list of lists of tokens", "5"]),
        (["the cat"], ["`batch[0]`", "a list of tokens", "split()"]),
        ([["a"], [["b"]]], ["`batch[1]`", "[['b']]"]),
        ([["a", None]], ["`batch[0]`", "None"]),
        ([["a", b"b"]], ["`batch[0]`", "b'b'"]),
        ([3], ["`batch[0]`", "3 of type int"]),
    ],
)
def test_what_is_no_batch(batch, parts):
    with refused(*parts):
        batch_to_ids(batch)
