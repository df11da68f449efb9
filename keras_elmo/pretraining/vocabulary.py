import collections
import os
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from keras_elmo.files.atomic import replacing
from keras_elmo.files.word_list import read_words
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

UNKNOWN_WORD = "<UNK>"
SPECIAL_WORDS = (BEGIN_WORD, END_WORD, UNKNOWN_WORD)
UNKNOWN_ID = SPECIAL_WORDS.index(UNKNOWN_WORD)


class Vocabulary:
    """The words that a language model predicts, most frequent first.

    Only the words to predict need a vocabulary: a biLM reads any word, by its
    characters.

    Reference: bilm-tf (`bilm/data.py`, `Vocabulary`), which reads the same files.

    Args:
        words: The words: `<S>`, `</S>` and `<UNK>`, and then the others. Frequent words
            should come first, because `SampledSoftmax` draws samples by their rank.
            Bytes that are not UTF-8 are surrogates (`errors="surrogateescape"`).

    Raises:
        ValueError: if the three special words do not come first, or a word is
            empty, holds a line break or comes twice.

    Example:

    >>> vocabulary = Vocabulary(["<S>", "</S>", "<UNK>", "the", "cat"])
    >>> vocabulary.to_ids(tf.constant(["the", "cat", "sat"])).numpy().tolist()
    [3, 4, 2]
    """

    def __init__(self, words: Iterable[str]):
        self.words = list(words)
        _check_words(self.words)
        # A table can't be created inside a graph that uses it: create it eagerly.
        with tf.init_scope():
            keys = tf.constant([_to_bytes(word) for word in self.words])
            ids = tf.range(len(self.words), dtype=tf.int32)
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(keys, ids), UNKNOWN_ID
            )

    @classmethod
    def from_counts(
        cls,
        counts: collections.Counter,
        min_count: int = 1,
        max_size: int | None = None,
    ) -> "Vocabulary":
        """The words of a text that are frequent enough, most frequent first.

        Args:
            counts: How often each word was seen, from `TextCorpus.measure`.
            min_count: Words that were seen less often are left out. Defaults to 1.
            max_size: Largest number of words, with the special ones. Defaults to None:
                any number.

        Raises:
            ValueError: if no word is left.
        """
        words = [
            word
            for word, count in counts.most_common()
            if count >= min_count and word not in SPECIAL_WORDS
        ]
        if max_size is not None:
            words = words[: max(max_size - len(SPECIAL_WORDS), 0)]
        if not words:
            raise ValueError(
                "`min_count` and `max_size` should leave words to predict, besides the "
                f"special {len(SPECIAL_WORDS)}. Received: min_count={min_count!r}, "
                f"max_size={max_size!r} and {len(counts)} distinct words, the most "
                f"frequent seen {max(counts.values(), default=0)} times. Lower "
                "`min_count`, or raise `max_size`."
            )
        return cls([*SPECIAL_WORDS, *words])

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> "Vocabulary":
        """Reads a text file of one word a line, or a .gz of one.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if its words are not those of a vocabulary, see `Vocabulary`, or
                it is a broken .gz.
        """
        lines = read_words(path)
        try:
            return cls(lines)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r}: {error}") from error

    def save(self, path: str | os.PathLike) -> None:
        """Writes a text file of one word a line, completely or not at all."""
        content = b"".join(_to_bytes(word) + b"\n" for word in self.words)
        with replacing(path) as temporary:
            Path(temporary).write_bytes(content)

    def to_ids(self, tokens: tf.Tensor) -> tf.Tensor:
        """int32 ids of string `tokens`, of the same shape; 2 for unknown words."""
        return self._table.lookup(tokens)

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    __hash__ = None  # type: ignore[assignment]


def _to_bytes(word: str) -> bytes:
    return word.encode("utf-8", errors="surrogateescape")


def _check_words(words: list[str]) -> None:
    expected = "The words of a vocabulary should "
    if tuple(words[:3]) != SPECIAL_WORDS:
        raise ValueError(
            f"{expected}begin with {', '.join(SPECIAL_WORDS)}, in this order. "
            f"Received: {words[:3]}. Put these three first."
        )
    for number, word in enumerate(words, start=1):
        if not word or "\n" in word:
            raise ValueError(
                f"{expected}not be empty, nor hold line breaks. Received: {word!r} "
                f"as number {number}. Remove it."
            )
    counts = collections.Counter(words)
    word, count = counts.most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"{expected}come once. Received: {word!r} {count} times. Remove the others."
        )
