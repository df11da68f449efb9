"""From AllenNLP's ids to encoded batches between sentence boundaries."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.char_ids import NO_TOKEN
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.text.checks import (
    check_symbolic,
    described,
    require,
    require_integers,
    shortened,
)
from keras_elmo.text.encode import boundary_ids


def as_integers(value: Any, name: str) -> Any:
    """Arrays, lists and the tensors of PyTorch as tensors; tensors as they are.

    Raises:
        ValueError: if `value` is not of integers.
    """
    if isinstance(value, keras.KerasTensor):
        return check_symbolic(value, name, is_text=False)
    if not tf.is_tensor(value):
        try:
            value = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"`{name}` can't be made a tensor ({error}). Received: "
                f"{shortened(value)} of type {type(value).__name__}"
            ) from error
    dtype = value.dtype
    is_integer = dtype.is_integer if tf.is_tensor(value) else dtype.kind in "iu"
    if not is_integer:
        raise ValueError(
            f"`{name}` should be integers. Received: {dtype.name} of shape "
            f"{tuple(value.shape)}. `batch_to_ids` makes them of lists of tokens"
        )
    return tf.convert_to_tensor(value)


def rows_of(inputs: tf.Tensor, rank: int, name: str) -> tf.Tensor:
    """int32 of this rank, all leading axes made one.

    Raises:
        ValueError: if there are fewer axes.
    """
    if inputs.shape.rank is None or inputs.shape.rank < rank:
        axes = ["batch", "tokens", "characters"][:rank]
        raise ValueError(
            f"`{name}` should be ({', '.join(axes)}), maybe with more axes ahead of "
            f"these. Received: {described(inputs)}"
        )
    inputs = tf.cast(require_integers(inputs, name), tf.int32)
    if inputs.shape.rank == rank:
        return inputs
    inner = tf.shape(inputs)[1 - rank :]
    count = tf.reduce_prod(tf.shape(inputs)[: 1 - rank])
    rows = tf.reshape(inputs, tf.concat([[count], inner], axis=0))
    return tf.ensure_shape(rows, [None, *inputs.shape[1 - rank :]])


def between_boundaries(ids: tf.Tensor, max_characters: int) -> dict[str, tf.Tensor]:
    """The dense form with `<S>` and `</S>` around each row, also around empty ones.

    Args:
        ids: int32 `(batch, tokens, characters)`, 0 after the end of a row.
        max_characters: How many `characters` there should be.

    Raises:
        ValueError: if there are others, or a token follows where there is none.
    """
    if ids.shape[-1] not in (None, max_characters):
        raise ValueError(
            "`inputs` should have as many characters a token as the model, "
            f"{max_characters}. Received: {described(ids)}"
        )
    is_token = tf.reduce_any(ids != NO_TOKEN, axis=-1)
    lengths = _lengths(is_token, "inputs")
    begin, end = boundary_ids(max_characters)
    return {
        "char_ids": _put_around(ids, lengths[:, None, None], begin, end),
        "sequence_len": lengths + 2,
    }


def of_cached_words(
    word_ids: tf.Tensor, ids: tf.Tensor, cache: WordCache
) -> dict[str, tf.Tensor]:
    """The form with cached vectors, see `CACHED_FORM`; other words by their characters.

    Args:
        word_ids: int32 `(batch, tokens)`, numbers of the words of `cache`; 0 is no
            token, whatever the first word is.
        ids: int32 `(batch, tokens, characters)`, of the words that are not in `cache`.
        cache: The words with their vectors.

    Raises:
        ValueError: if a number is negative, or that of no word where `ids` are none.
    """
    lengths = _lengths(word_ids != 0, "word_inputs")
    is_known = (word_ids > 0) & (word_ids < len(cache.words))
    is_other = (word_ids != 0) & ~is_known
    has_characters = tf.reduce_any(ids != NO_TOKEN, axis=-1)
    require(
        tf.reduce_all((word_ids >= 0) & (~is_other | has_characters), axis=1),
        "`word_inputs` should be numbers of `vocab_to_cache`, 0 to "
        f"{len(cache.words) - 1}, wherever `inputs` have no characters",
    )
    others = tf.boolean_mask(ids, is_other)
    char_ids = tf.concat([boundary_ids(cache.max_characters), others], axis=0)
    # Row 0 is 'no token', and the boundaries are 1 and 2; the other words follow.
    number = tf.cumsum(tf.cast(tf.reshape(is_other, [-1]), tf.int32))
    index = tf.where(is_known, -1 - word_ids, 2 + tf.reshape(number, tf.shape(ids)[:2]))
    index = tf.where(word_ids == 0, 0, index)
    return {
        "char_ids": tf.pad(char_ids, [[1, 0], [0, 0]]),
        "word_emb": tf.pad(tf.convert_to_tensor(cache.word_emb), [[1, 0], [0, 0]]),
        "token_index": _put_around(index, lengths[:, None], 1, 2),
        "sequence_len": lengths + 2,
    }


def _lengths(is_token: tf.Tensor, name: str) -> tf.Tensor:
    """int32 `(batch,)` of a mask `(batch, tokens)`, where True has to come first."""
    lengths = tf.reduce_sum(tf.cast(is_token, tf.int32), axis=1)
    expected = tf.sequence_mask(lengths, tf.shape(is_token)[1])
    require(
        tf.reduce_all(is_token == expected, axis=1),
        f"`{name}` should be 0 after the last token of a row, and nowhere before it",
    )
    return lengths


def _put_around(rows: Any, lengths: Any, begin: Any, end: Any) -> tf.Tensor:
    """Rows `(batch, tokens, ...)` with one entry before, and one after their ends."""
    paddings = [[0, 0], [1, 1], *([[0, 0]] * (rows.shape.rank - 2))]
    rows = tf.pad(rows, paddings)
    position = tf.range(tf.shape(rows)[1])
    position = tf.reshape(position, [-1] + [1] * (rows.shape.rank - 2))
    rows = tf.where(position == lengths + 1, end, rows)
    return tf.where(position == 0, begin, rows)
