"""Every form of text, in direct calls."""

import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE, assert_close
from models import TEXT, skip_elmo

import keras_elmo


def test_forms_of_input_agree(frozen_elmo):
    expected = frozen_elmo(list(TEXT))
    tokens = [[t for t in text.split(" ") if t] for text in TEXT]
    padded = [row + ["?"] * (6 - len(row)) for row in tokens]
    lengths = [len(row) for row in tokens]
    dense = keras_elmo.ElmoPreprocessor(sentence_boundaries=True)
    for inputs in (
        TEXT,
        TEXT[:, None],
        TEXT.astype(str),
        tf.constant(TEXT),
        tf.constant(TEXT)[:, None],
        tf.ragged.constant(tokens),
        tokens,
        [row or [] for row in map(tuple, tokens)],
        {"tokens": padded, "sequence_len": lengths},
        {"tokens": tf.constant(padded), "sequence_len": np.array(lengths, "int64")},
        frozen_elmo.preprocessor(TEXT),
        dense(TEXT),
        {key: value.numpy() for key, value in dense(TEXT).items()},
    ):
        assert_close(frozen_elmo(inputs), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
def test_small_and_large_integers(frozen_elmo, dtype):
    tokens = {
        "tokens": [["a", "b"], ["c", "?"]],
        "sequence_len": np.array([2, 0], dtype),
    }
    expected = frozen_elmo(["a b", ""])
    assert_close(frozen_elmo(tokens), expected)
    integers = dict(frozen_elmo.preprocessor(["a b", ""]))
    for name in ("token_index", "sequence_len"):
        integers[name] = tf.cast(integers[name], dtype)
    assert_close(frozen_elmo(integers), expected)
    mask = frozen_elmo.compute_mask(integers)["elmo"]
    assert mask.numpy().tolist() == [[True, True], [False, False]]


def test_tokens_past_the_length_are_ignored(frozen_elmo):
    rows = [["a", "b", "c"], ["d", "</S>", "\0"]]
    others = [["a", "b", ""], ["d", "x" * 100, "y"]]
    left, right = (
        frozen_elmo({"tokens": t, "sequence_len": [2, 1]}) for t in (rows, others)
    )
    for key in left:
        np.testing.assert_array_equal(left[key], right[key])
    assert left["elmo"].shape[1] == 3


@pytest.mark.parametrize(("boundaries", "jit_compile"), [(True, True), (False, False)])
def test_batch_invariance(boundaries, jit_compile):
    """Alone, among 64, after 10 other calls, padded to 5 times its length, by
    either signature: one embedding."""
    elmo = skip_elmo(sentence_boundaries=boundaries, jit_compile=jit_compile)
    sentence = "the quick brown fox jumps over the lazy dog ."
    words = sentence.split(" ")
    alone = {key: value[0] for key, value in elmo([sentence]).items()}

    def check(outputs, row):
        for key, value in alone.items():
            other = outputs[key][row]
            if key != "default":
                np.testing.assert_array_equal(other[len(words) :], 0)
                other = other[: len(words)]
            np.testing.assert_allclose(other, value, **TOLERANCE)

    rng = np.random.default_rng(0)
    others = [" ".join(rng.choice(words, rng.integers(1, 40))) for _ in range(63)]
    check(elmo([*others[:40], sentence, *others[40:]]), 40)
    for other in others[:10]:
        elmo([other])
    check(elmo([sentence]), 0)
    padded = words + ["?"] * 4 * len(words)
    check(elmo({"tokens": [padded], "sequence_len": [len(words)]}), 0)
    check(elmo(tf.ragged.constant([["x"], words])), 1)


def test_odd_text_embeds(frozen_elmo):
    texts = [
        b"\xff\xfe x",
        b"a\0b",
        b"\x01\x02\x7f",
        "😀 👩‍👩‍👧".encode(),
        b"x" * 2**20,
    ]
    outputs = frozen_elmo(texts)
    assert all(np.isfinite(value).all() for value in outputs.values())
    embeddings = outputs["word_emb"][:, 0].numpy()
    assert len(np.unique(embeddings.round(4), axis=0)) == len(texts)


@pytest.mark.parametrize("empty", [[], np.array([], dtype=object)])
def test_empty_batch(frozen_elmo, empty):
    assert frozen_elmo(empty)["elmo"].shape == (0, 1, 24)


def test_empty_batch_in_a_graph(frozen_elmo):
    inputs = {
        "tokens": tf.zeros([0, 3], tf.string),
        "sequence_len": tf.zeros([0], "int32"),
    }
    assert tf.function(frozen_elmo)(inputs)["elmo"].shape == (0, 3, 24)
    integers = frozen_elmo.preprocessor(tf.zeros([0], tf.string))
    assert tf.function(frozen_elmo)(integers)["elmo"].shape == (0, 1, 24)


def test_no_tokens_at_all(frozen_elmo):
    outputs = frozen_elmo({"tokens": [[], []], "sequence_len": [0, 0]})
    assert outputs["elmo"].shape == (2, 1, 24)
    np.testing.assert_array_equal(outputs["elmo"], 0)
