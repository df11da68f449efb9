"""From tokens to character ids, in TensorFlow string ops alone."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.char_ids import (
    PADDING,
    SENTENCE_BEGIN,
    SENTENCE_END,
    TOKEN_BEGIN,
    TOKEN_END,
)
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD


def to_char_ids(
    tokens: tf.Tensor, characters: int | tf.Tensor, vocabulary: Any = None
) -> tf.Tensor:
    """The character ids of tokens: UTF-8 bytes between two boundary ids.

    Args:
        tokens: Strings `(tokens,)`.
        characters: Ids a token, at least 3. Longer tokens are cut.
        vocabulary: A `TokenVocabulary`, whose ids are returned instead. Defaults to
            None: bytes.

    Returns:
        int32 `(tokens, characters)`, in 1..261.
    """
    if vocabulary is not None:
        return vocabulary(tokens, characters=characters)
    begins, ends = tokens == BEGIN_WORD, tokens == END_WORD
    num_bytes = tf.minimum(tf.strings.length(tokens), characters - 2)
    # (tokens, characters - 2), cut or filled up with zero bytes
    content = tf.io.decode_raw(tokens, tf.uint8, fixed_length=characters - 2)
    content = tf.cast(content, tf.int32) + 1
    content = tf.where(begins[:, None], SENTENCE_BEGIN, content)
    content = tf.where(ends[:, None], SENTENCE_END, content)
    return between_token_boundaries(
        content, tf.where(begins | ends, 1, num_bytes), characters
    )


def boundary_ids(characters: int, vocabulary: Any = None) -> np.ndarray:
    """The ids of `<S>` and `</S>`, int32 `(2, characters)`.

    Args:
        characters: See `to_char_ids`; so is `vocabulary`.
    """
    # They are constants of a graph, because XLA has no strings to make them of.
    with tf.init_scope():
        words = tf.constant([BEGIN_WORD, END_WORD])
        return to_char_ids(words, characters, vocabulary).numpy()


def between_token_boundaries(
    content: tf.Tensor, count: tf.Tensor, characters: int | tf.Tensor
) -> tf.Tensor:
    """Puts the first `count` (tokens,) of ids between the two boundaries of a token.

    Args:
        content: int32 `(tokens, characters - 2)`.
        count: int32 `(tokens,)`.
        characters: How many ids of a token to return, filled up with padding.
    """
    content = tf.pad(content, [[0, 0], [1, 1]], constant_values=TOKEN_BEGIN)
    position, count = tf.range(characters)[None, :], count[:, None]
    ids = tf.where(position <= count, content, PADDING)
    return tf.where(position == count + 1, TOKEN_END, ids)


def encode(
    tokens: tf.RaggedTensor,
    max_length: int | tf.Tensor,
    max_characters: int,
    vocabulary: Any = None,
) -> dict[str, tf.Tensor]:
    """The dense form, see `ElmoPreprocessor`."""
    ids = to_char_ids(tokens.flat_values, max_characters, vocabulary)
    return {
        "char_ids": _to_dense(tokens.with_flat_values(ids), max_length),
        "sequence_len": tf.cast(tokens.row_lengths(), tf.int32),
    }


def encode_distinct(
    tokens: tf.RaggedTensor,
    max_length: int | tf.Tensor,
    max_characters: int,
    vocabulary: Any = None,
) -> dict[str, tf.Tensor]:
    """The form with every distinct token once, see `ElmoPreprocessor`."""
    char_ids, index = to_distinct_char_ids(
        tokens.flat_values, max_characters, vocabulary
    )
    return {
        "char_ids": char_ids,
        "token_index": _to_dense(tokens.with_flat_values(index), max_length),
        "sequence_len": tf.cast(tokens.row_lengths(), tf.int32),
    }


def encode_with_cache(
    tokens: tf.RaggedTensor,
    max_length: int | tf.Tensor,
    max_characters: int,
    cache: Any,
    vocabulary: Any = None,
) -> dict[str, tf.Tensor]:
    """The same, but with vectors in place of the ids of words in a `WordCache`."""
    distinct, index = tf.unique(tokens.flat_values)
    rows = cache(distinct)
    is_known = rows >= 0
    unknown = tf.boolean_mask(distinct, ~is_known)
    char_ids, _ = to_distinct_char_ids(unknown, max_characters, vocabulary)
    # Unknown tokens count 1, 2, ... and known ones -1, -2, ...; see `CACHED_FORM`.
    place = tf.where(is_known, -_count(is_known), _count(~is_known))
    known = tf.gather(cache.word_emb, tf.boolean_mask(rows, is_known))
    return {
        "char_ids": char_ids,
        "word_emb": tf.pad(known, [[1, 0], [0, 0]]),
        "token_index": _to_dense(
            tokens.with_flat_values(tf.gather(place, index)), max_length
        ),
        "sequence_len": tf.cast(tokens.row_lengths(), tf.int32),
    }


def _count(condition: tf.Tensor) -> tf.Tensor:
    return tf.cumsum(tf.cast(condition, tf.int32))


def to_distinct_char_ids(
    tokens: tf.Tensor, max_characters: int, vocabulary: Any = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Character ids of every distinct token, as many as the longest needs.

    Args:
        tokens: Strings `(tokens,)`.
        max_characters: The most ids a token.
        vocabulary: See `to_char_ids`.

    Returns:
        int32 `(distinct, characters)`, of which row 0 is 'no token', and the row of
        each token, int32 `(tokens,)`.
    """
    distinct, index = tf.unique(tokens)
    longest = tf.reduce_max(tf.strings.length(distinct))
    # A boundary takes 3 ids, whatever the length of its word.
    characters = tf.clip_by_value(longest + 2, 3, max_characters)
    char_ids = to_char_ids(distinct, characters, vocabulary)
    return tf.pad(char_ids, [[1, 0], [0, 0]]), index + 1


def _to_dense(ragged: tf.RaggedTensor, max_length: int | tf.Tensor) -> tf.Tensor:
    """`(batch, None, ...)` as `(batch, max_length, ...)`, filled up with 0."""
    inner = ragged.flat_values.shape[1:]
    dense = ragged.to_tensor(shape=tf.stack([-1, max_length, *inner]))
    # `to_tensor` forgets the sizes that are known beforehand.
    time = None if tf.is_tensor(max_length) else max_length
    return tf.ensure_shape(dense, [ragged.shape[0], time, *inner])
