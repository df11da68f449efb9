import collections

import pytest
import tensorflow as tf

from keras_elmo.pretraining import Vocabulary

SPECIAL = ["<S>", "</S>", "<UNK>"]


def test_most_frequent_words_come_first_after_the_special_ones():
    counts = collections.Counter(["b", "a", "b", "<UNK>", "c", "b", "a", "</S>"])
    assert Vocabulary.from_counts(counts).words == [*SPECIAL, "b", "a", "c"]
    assert Vocabulary.from_counts(counts, min_count=2).words == [*SPECIAL, "b", "a"]
    assert Vocabulary.from_counts(counts, max_size=4).words == [*SPECIAL, "b"]


def test_ids():
    vocabulary = Vocabulary([*SPECIAL, "a", "é"])
    tokens = tf.constant([["<S>", "a", "é"], ["A", "</S>", "<UNK>"]])
    assert vocabulary.to_ids(tokens).numpy().tolist() == [[0, 3, 4], [2, 1, 2]]


def test_file_holds_any_bytes(tmp_path):
    words = [*SPECIAL, "a", "\udcff", "tab\there", "\u2028", "\r"]
    path = tmp_path / "vocabulary.txt"
    Vocabulary(words).save(path)
    loaded = Vocabulary.from_file(path)
    assert loaded.words == words
    assert loaded == Vocabulary(words) != Vocabulary(SPECIAL)
    assert loaded.to_ids(tf.constant([b"\xff"])).numpy().tolist() == [4]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b"], r"begin with <S>, </S>, <UNK>.*Received: \['a', 'b'\]"),
        (["</S>", "<S>", "<UNK>"], "begin with"),
        ([], "begin with"),
        ([*SPECIAL, "a", ""], "not be empty.*as number 5"),
        ([*SPECIAL, "a\nb"], "line breaks"),
        ([*SPECIAL, "a", "b", "a"], "come once. Received: 'a' 2 times"),
    ],
)
def test_bad_words(words, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(words)


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="one word a line"):
        Vocabulary.from_file(tmp_path / "none.txt")
    path = tmp_path / "unordered.txt"
    path.write_text("the\n<S>\n</S>\n<UNK>\n")
    with pytest.raises(ValueError, match=r"unordered\.txt.*begin with"):
        Vocabulary.from_file(path)


def test_no_word_is_frequent_enough():
    with pytest.raises(ValueError, match="min_count=3.* and 1 distinct.*seen 2 times"):
        Vocabulary.from_counts(collections.Counter(["a", "a"]), min_count=3)
    with pytest.raises(ValueError, match="besides the special 3.*max_size=3"):
        Vocabulary.from_counts(collections.Counter(["a", "a"]), max_size=3)
