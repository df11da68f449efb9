"""The sizes that XLA compiles for are few, and hold what is padded to them."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import without_extras

from keras_elmo import ElmoPreprocessor
from keras_elmo.char_ids import PADDING
from keras_elmo.embedding.buckets import bucket_sizes, pad_to_buckets
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.text.encode import encode_with_cache

CHARACTERS = 3  # few, so that large batches are fast to pad


def encoded(batch, time, distinct, characters=CHARACTERS):
    """A batch of these sizes, or in the dense form if `distinct` is None."""
    lengths = tf.fill([batch], time)
    if distinct is None:
        return {
            "char_ids": tf.fill([batch, time, characters], 7),
            "sequence_len": lengths,
        }
    return {
        "char_ids": tf.fill([distinct, characters], 7),
        "token_index": tf.fill([batch, time], distinct - 1),
        "sequence_len": lengths,
    }


def shapes(batch):
    padded = pad_to_buckets(batch, CHARACTERS)
    return tuple(sorted((name, tuple(t.shape)) for name, t in padded.items()))


def random_sentences(rng):
    words = ["the", "cat", "sat", "antidisestablishmentarianism", "été"]
    words += [str(number) for number in range(1000)]
    lengths = rng.integers(1, 13, rng.integers(1, 9))
    return [" ".join(rng.choice(words, length)) for length in lengths]


def test_short_sentences_have_few_shapes():
    rng = np.random.default_rng(0)
    texts = [random_sentences(rng) for _ in range(60)]
    for distinct in (True, False):
        preprocessor = ElmoPreprocessor(
            max_characters=CHARACTERS, sentence_boundaries=True, distinct=distinct
        )
        assert len({shapes(preprocessor(text)) for text in texts}) <= 2


def test_twenty_programs_for_64_sentences_of_512_tokens():
    """All buckets of rows and positions, with all numbers of distinct tokens."""
    rows, times, tokens = map(sorted, map(set, zip(*bucket_sizes(), strict=True)))
    found = set()
    for batch, time in itertools.product(rows, times):
        if batch <= 64 and time <= 514:
            most = batch * time + 1
            for distinct in [1, *(number + 1 for number in tokens if number < most)]:
                found.add(shapes(encoded(batch, time, distinct)))
    assert 15 < len(found) <= 20


@settings(deadline=None, derandomize=True)
@given(
    batch=st.integers(0, 300),
    time=st.integers(0, 1200),
    distinct=st.none() | st.integers(1, 3000),
    characters=st.integers(1, CHARACTERS),
)
def test_a_bucket_holds_the_batch_and_nothing_more(batch, time, distinct, characters):
    before = encoded(batch, time, distinct, characters)
    padded = pad_to_buckets(before, CHARACTERS)
    for name, tensor in before.items():
        assert padded[name].dtype == tensor.dtype
        where = tuple(map(slice, tensor.shape))
        np.testing.assert_array_equal(padded[name][where], tensor)
    char_ids = padded["char_ids"].numpy()
    # A token of fewer characters goes on with padding, and new ones are no token.
    real = before["char_ids"].shape[:-1]
    tokens = char_ids[tuple(map(slice, real))]
    assert (tokens[..., characters:] == PADDING).all()
    assert np.count_nonzero(char_ids[..., 0]) == np.prod(real)
    rows = len(padded["sequence_len"])
    assert np.count_nonzero(padded["sequence_len"]) == (batch if time else 0)
    if distinct is None:
        # At most so much of a bucket is padding.
        assert rows <= max(8, 4 * batch)
        assert char_ids.shape[1] <= max(34, 4 * time)
        assert char_ids.shape[2] == CHARACTERS


def test_cached_words():
    """Both tables of vectors are padded alike, so that they add no shapes."""
    cache = WordCache(["the", "cat", "sat"], projection_dim=4, max_characters=50)
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(20):
        tokens = tf.strings.split(random_sentences(rng))
        batch = encode_with_cache(tokens, tf.reduce_max(tokens.row_lengths()), 3, cache)
        padded = pad_to_buckets(batch, CHARACTERS)
        known = batch["word_emb"].shape[0]
        np.testing.assert_array_equal(padded["word_emb"][:known], batch["word_emb"])
        found.add(shapes(batch))
    assert len(found) <= 2


def test_more_than_there_is_a_bucket_for():
    """It is refused rather than cut."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="non-negative"):
        pad_to_buckets(encoded(1, 2**21, None, 1), CHARACTERS)


PROGRAM = """
import numpy as np
from keras_elmo import ElmoEmbedding
from models import small_bilm
from test_buckets import random_sentences

rng = np.random.default_rng(0)
bilm = small_bilm(num_layers=1, sentence_boundaries=True)
elmo = ElmoEmbedding(bilm, jit_compile=True)
for _ in range(60):
    elmo(random_sentences(rng))
"""


@pytest.mark.slow
def test_programs_that_xla_compiles(tmp_path):
    """It writes one file a program, if told to before it starts."""
    flags = f"--xla_dump_to={tmp_path}"
    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=without_extras(os.path.dirname(__file__), XLA_FLAGS=flags),
        check=True,
        capture_output=True,
    )
    programs = list(tmp_path.glob("*.before_optimizations.txt"))
    assert 1 <= len(programs) <= 8, [path.name for path in programs]
