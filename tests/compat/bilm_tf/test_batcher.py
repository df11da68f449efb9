import numpy as np
import pytest
from refusal import refused

from keras_elmo.compat.bilm_tf import Batcher


@pytest.mark.parametrize("batch", [0, 1])
def test_recorded_ids(skip_files, batch):
    batcher = Batcher(skip_files.vocabulary, 50)
    ids = batcher.batch_sentences(skip_files.golden.batches[batch])
    assert ids.dtype == "int64"
    np.testing.assert_array_equal(ids, skip_files.golden.arrays[f"char_ids_{batch}"])


def test_long_tokens_are_cut(skip_files):
    ids = Batcher(skip_files.vocabulary, 5).batch_sentences([["abcdef"]])
    assert ids[0, 1].tolist() == [259, *(byte + 1 for byte in b"abc"), 260]


def test_sentences_without_tokens(skip_files):
    batcher = Batcher(skip_files.vocabulary, 50)
    assert batcher.batch_sentences([[]])[..., 1].tolist() == [[257, 258]]
    assert batcher.batch_sentences([[], ["a"]])[..., 1].tolist() == [
        [257, 258, 0],
        [257, 98, 258],
    ]
    assert batcher.batch_sentences([]).shape == (0, 2, 50)


def test_strings_are_no_lists_of_tokens(skip_files):
    batcher = Batcher(skip_files.vocabulary, 50)
    with refused("`sentences[1]`", "'the cat' of type str", "`sentence.split()`"):
        batcher.batch_sentences([["a"], "the cat"])
    with refused("`sentences`", "sentences='the cat'"):
        batcher.batch_sentences("the cat")
    with refused("`sentences[0]`", "Received: [3]"):
        batcher.batch_sentences([[3]])


def test_arguments(tmp_path, skip_files):
    with pytest.raises(FileNotFoundError, match=r"`lm_vocab_file`.*none\.txt"):
        Batcher(tmp_path / "none.txt", 50)
    with refused("`lm_vocab_file`", "None of type NoneType"):
        Batcher(None, 50)
    with refused("`max_token_length`", "max_token_length=2"):
        Batcher(skip_files.vocabulary, 2)
