"""Encoded batches: the contract between the text layers, which write them, and `BiLM`.

An encoded batch is a dictionary of integers that stands for text, in one of the forms
of `FORMS`; see `ElmoPreprocessor` for shapes. The ids of a token are those of its
characters, with that of the word before them if the model has embeddings of words too.
"""

from collections.abc import Mapping
from typing import Any

from keras import ops

# Character ids. Bytes are 1..256: every id is one more than in bilm-tf
# (`bilm/data.py`, `UnicodeCharsVocabulary`), so that 0 is free.
NO_TOKEN = 0
SENTENCE_BEGIN, SENTENCE_END = 257, 258
TOKEN_BEGIN, TOKEN_END, PADDING = 259, 260, 261
# Some models number the characters of a vocabulary in place of bytes. The special ids
# keep their numbers there: the first 256 characters are 1..256, others follow from 262.
NUM_IDS = 262

FORMS = (
    {"char_ids", "sequence_len"},
    {"char_ids", "sequence_len", "token_index"},
)
# A `WordCache` adds a table of vectors, `"word_emb"` `(known, projection_dim)`.
# Negative numbers in `"token_index"` name its rows, positive ones those of
# `"char_ids"`, because bucketing pads both tables: no row of one could follow the last
# of the other.
CACHED_FORM = {"char_ids", "sequence_len", "token_index", "word_emb"}

_EXPECTED = (
    "`(batch, time, characters)`, or a dictionary with the keys "
    "['char_ids', 'sequence_len'] or ['char_ids', 'sequence_len', 'token_index']"
)


def is_encoded(inputs: Any) -> bool:
    """Whether `inputs` are an encoded batch rather than text."""
    return isinstance(inputs, dict) and "char_ids" in inputs


def positions(encoded: Mapping[str, Any]) -> Any:
    """`(batch, time)` integers of any value, in the shape of the sequences."""
    if "token_index" in encoded:
        return encoded["token_index"]
    return encoded["char_ids"][..., 0]


def token_mask(inputs: Any) -> Any:
    """`(batch, time)`, True where there is a token.

    Args:
        inputs: An encoded batch of any form, or `"char_ids"` alone.

    Raises:
        ValueError: if it is none of these.
    """
    if not isinstance(inputs, dict):
        if len(inputs.shape) != 3:
            raise ValueError(
                f"`inputs` should be {_EXPECTED}. Received: a tensor of shape "
                f"{tuple(inputs.shape)}"
            )
        return inputs[..., 0] != NO_TOKEN
    if set(inputs) not in (*FORMS, CACHED_FORM):
        raise ValueError(
            f"`inputs` should be {_EXPECTED}. Received: keys {sorted(inputs)}"
        )
    return length_mask(inputs)


def length_mask(encoded: Mapping[str, Any], sentence_boundaries: bool = False) -> Any:
    """`(batch, time)`, True within each row's `sequence_len`.

    Args:
        encoded: An encoded batch of any form, symbolic or not.
        sentence_boundaries: Whether to leave out the first and the last position of
            each row, so that `time` is shorter by two.
    """
    # Smaller integers would overflow at long rows, and at negative differences.
    inner = ops.cast(positions(encoded), "int32")
    lengths = ops.cast(encoded["sequence_len"], "int32")
    if sentence_boundaries:
        inner, lengths = inner[:, 2:], lengths - 2
    number = ops.cumsum(ops.ones_like(inner), axis=1)  # 1, 2, 3, ...
    return number <= lengths[:, None]


def gather_tokens(word_emb: Any, encoded: Mapping[str, Any]) -> Any:
    """The vectors of all tokens, from those of the rows of `"char_ids"`.

    Args:
        word_emb: `(distinct, dim)`, or `(batch, time, dim)` in the dense form, which is
            returned as it is.
        encoded: An encoded batch of any form.

    Returns:
        `(batch, time, dim)`.
    """
    if "token_index" not in encoded:
        return word_emb
    index = ops.cast(encoded["token_index"], "int32")
    gathered = ops.take(word_emb, ops.maximum(index, 0), axis=0)
    if "word_emb" not in encoded:
        return gathered
    cached = ops.cast(encoded["word_emb"], word_emb.dtype)
    cached = ops.take(cached, ops.maximum(-index, 0), axis=0)
    return ops.where(index[..., None] < 0, cached, gathered)
