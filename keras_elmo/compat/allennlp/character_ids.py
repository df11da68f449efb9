"""Lists of tokens to AllenNLP's character ids."""

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from keras_elmo.char_ids import NO_TOKEN
from keras_elmo.compat.token_lists import as_token_lists
from keras_elmo.text.encode import to_char_ids

# AllenNLP gives every token so many, whatever the options of the model say.
CHARACTERS = 50


def batch_to_ids(batch: Iterable[Sequence[str]]) -> np.ndarray:
    """The character ids of tokenized sentences, which an `Elmo` is called with.

    A token is its UTF-8 bytes, cut to 48, between 259 and 260 and padded with 261:
    every id is one more than in bilm-tf, so that 0 can mean 'no token here'. There are
    no sentence boundaries, because `Elmo` adds them. Half a surrogate pair, which has
    no UTF-8, is left out.

    Reference: AllenNLP (`allennlp/modules/elmo.py`, `batch_to_ids`).

    Args:
        batch: A list of sentences, each a list of tokens.

    Returns:
        int64 `(batch, max_tokens, 50)`, a NumPy array; 0 after the end of a sentence.
        Without any token it is `(batch, 0, 50)`, where AllenNLP has an array of two
        axes that its `Elmo` does not take.

    Raises:
        ValueError: if `batch` is not of lists of strings.

    Example:

    >>> ids = batch_to_ids([["the", "cat"], ["dogs"]])
    >>> ids.shape
    (2, 2, 50)
    >>> ids[:, :, :6].tolist()[1]
    [[259, 101, 112, 104, 116, 260], [0, 0, 0, 0, 0, 0]]
    """
    rows = as_token_lists("batch", batch)
    lengths = np.array([len(row) for row in rows], "int64")
    is_token = np.arange(lengths.max(initial=0)) < lengths[:, None]
    ids = np.full((*is_token.shape, CHARACTERS), NO_TOKEN, "int64")
    tokens = [token for row in rows for token in row]
    if tokens:
        ids[is_token] = to_char_ids(tf.constant(tokens), CHARACTERS).numpy()
    return ids
