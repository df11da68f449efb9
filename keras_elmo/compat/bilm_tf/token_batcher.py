import os
from collections.abc import Iterable, Sequence

import numpy as np

from keras_elmo.compat.bilm_tf.vocabulary_file import vocabulary_words
from keras_elmo.compat.token_lists import as_token_lists
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

_UNKNOWN_WORD = b"<UNK>"


class TokenBatcher:
    """Sentences to numbers of words, for the vectors of `dump_token_embeddings`.

    Reference: bilm-tf (`bilm/data.py`, `TokenBatcher`).

    Args:
        lm_vocab_file: Path of the vocabulary that the vectors were dumped with: a word
            a line, with `<S>` and `</S>` among them. Its words are all that can be
            read, unless it has `<UNK>`, which then stands for any other.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it lacks `<S>` or `</S>`.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> _ = path.write_text("<S>\\n</S>\\nthe\\ncat\\n")
    >>> TokenBatcher(path).batch_sentences([["the", "cat"], ["cat"]]).tolist()
    [[1, 3, 4, 2], [1, 4, 2, 0]]
    """

    def __init__(self, lm_vocab_file: str | os.PathLike):
        words = vocabulary_words(lm_vocab_file)
        self._path = os.fspath(lm_vocab_file)
        # 0 means that there is no token.
        self._ids = {
            word.encode("utf-8", errors="surrogateescape"): number
            for number, word in enumerate(words, start=1)
        }
        missing = [w for w in (BEGIN_WORD, END_WORD) if w.encode() not in self._ids]
        if missing:
            raise ValueError(
                f"The vocabulary should have a line {BEGIN_WORD} and a line "
                f"{END_WORD}. Received: {self._path!r}, which lacks {missing}. Add "
                "them, and dump the vectors of the words anew"
            )

    def batch_sentences(self, sentences: Iterable[Sequence[str]]) -> np.ndarray:
        """The numbers of the words of some sentences, padded to the longest.

        Args:
            sentences: Lists of tokens, without `<S>` and `</S>`.

        Returns:
            int64 `(sentences, longest + 2)`: each between `<S>` and `</S>`, and 0 where
            there is no token.

        Raises:
            ValueError: if these are no lists of tokens, or a token is unknown and the
                vocabulary has no `<UNK>`. (bilm-tf gives it the number that means that
                there is no token, and then embeds another sentence.)
        """
        rows = as_token_lists("sentences", sentences)
        time = max(map(len, rows), default=0) + 2
        ids = np.zeros((len(rows), time), "int64")
        begin, end = self._ids[BEGIN_WORD.encode()], self._ids[END_WORD.encode()]
        for places, tokens in zip(ids, rows, strict=True):
            places[: len(tokens) + 2] = [begin, *map(self._id, tokens), end]
        return ids

    def _id(self, token: bytes) -> int:
        number = self._ids.get(token, self._ids.get(_UNKNOWN_WORD))
        if number is None:
            raise ValueError(
                "`sentences` should hold words of the vocabulary, which has no "
                f"{_UNKNOWN_WORD.decode()} for others. Received: {token!r}, which is "
                f"not in {self._path!r}. Add it and dump the vectors of the words "
                "anew; or use `Batcher`, which reads any word"
            )
        return number
