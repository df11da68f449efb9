import os
from collections.abc import Iterable, Sequence

import numpy as np

from keras_elmo.arguments import check_positive_integer
from keras_elmo.compat.bilm_tf.vocabulary_file import check_file
from keras_elmo.compat.token_lists import as_token_lists
from keras_elmo.text.preprocessor import ElmoPreprocessor


class Batcher:
    """Sentences to the character ids that a `BidirectionalLanguageModel` reads.

    Reference: bilm-tf (`bilm/data.py`, `Batcher`).

    Args:
        lm_vocab_file: Path of the vocabulary, which has to be there, as bilm-tf has it;
            ids do not depend on it.
        max_token_length: Ids of a token, of which two are its boundaries: 50 with every
            published model. Longer tokens are cut.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if an argument is not as described.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> _ = path.write_text("<S>\\n</S>\\n<UNK>\\n")
    >>> Batcher(path, 50).batch_sentences([["the", "cat"], ["dogs"]]).shape
    (2, 4, 50)
    """

    def __init__(self, lm_vocab_file: str | os.PathLike, max_token_length: int):
        check_file("lm_vocab_file", lm_vocab_file)
        if check_positive_integer("max_token_length", max_token_length) < 3:
            raise ValueError(
                "`max_token_length` should leave room for a byte between the two "
                f"boundary ids, 3. Received: max_token_length={max_token_length}"
            )
        self._preprocessor = ElmoPreprocessor(
            max_characters=max_token_length, sentence_boundaries=True
        )

    def batch_sentences(self, sentences: Iterable[Sequence[str]]) -> np.ndarray:
        """The ids of some sentences, padded to the longest.

        Args:
            sentences: Lists of tokens, without `<S>` and `</S>`.

        Returns:
            int64 `(sentences, longest + 2, max_token_length)`: each between `<S>` and
            `</S>`, and 0 where there is no token.

        Raises:
            ValueError: if these are no lists of tokens.
        """
        rows = as_token_lists("sentences", sentences)
        # The preprocessor leaves room for a token, also where no sentence has one.
        time = max(map(len, rows), default=0) + 2
        char_ids = self._preprocessor(rows)["char_ids"].numpy()
        return char_ids[:, :time].astype("int64")
