import gzip

import pytest
from refusal import refused

from keras_elmo.compat.bilm_tf import TokenBatcher


def test_numbers_are_places_in_the_file(skip_files):
    path = skip_files.words("the", "<S>", "!!!MAXTERMID", "cat ", "</S>", "<UNK>")
    batcher = TokenBatcher(path)
    ids = batcher.batch_sentences([["cat", "the", "dog"], ["the"], []])
    assert ids.dtype == "int64"
    assert ids.tolist() == [[2, 3, 1, 5, 4], [2, 1, 4, 0, 0], [2, 4, 0, 0, 0]]


def test_compressed(skip_files):
    path = skip_files.folder / "vocab.txt.gz"
    path.write_bytes(gzip.compress(b"<S>\n</S>\ncaf\xc3\xa9\n"))
    assert TokenBatcher(path).batch_sentences([["café"]]).tolist() == [[1, 3, 2]]


def test_unknown_words_are_no_padding(skip_files):
    batcher = TokenBatcher(skip_files.words("<S>", "</S>", "the"))
    with refused("<UNK>", "b'cat'", "vocabulary.txt", "`Batcher`"):
        batcher.batch_sentences([["the", "cat"]])


def test_boundaries_are_needed(skip_files):
    with refused("<S>", "lacks ['</S>']"):
        TokenBatcher(skip_files.words("<S>", "the"))


def test_arguments(tmp_path, skip_files):
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        TokenBatcher(tmp_path / "none.txt")
    with refused("`sentences[0]`", "'the cat' of type str"):
        TokenBatcher(skip_files.vocabulary).batch_sentences(["the cat"])
