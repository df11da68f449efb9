"""Checks of what comes in, in direct calls and in graphs."""

from collections.abc import Mapping

import tensorflow as tf

from keras_elmo.char_ids import FORMS, PADDING
from keras_elmo.text.encode import to_char_ids
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

EXPECTED = (
    "strings of shape (batch,) or (batch, 1); "
    '{"tokens": strings (batch, max_length), "sequence_len": integers (batch,)}; '
    "a string RaggedTensor (batch, None) of tokens; or the integers of an "
    "`ElmoPreprocessor`"
)


def check_encoded(inputs: Mapping, boundaries: bool) -> dict[str, tf.Tensor]:
    """The integers as int32, if they are what an `ElmoPreprocessor` makes.

    Args:
        inputs: One of the two forms.
        boundaries: Whether each row should be between `<S>` and `</S>`.

    Raises:
        ValueError: naming what is wrong. Of values that are known only when a
            graph runs, `tf.errors.InvalidArgumentError`.
    """
    if set(inputs) not in FORMS:
        raise ValueError(f"Expected {EXPECTED}. Received: keys {sorted(inputs)}")
    for name, tensor in inputs.items():
        if not tensor.dtype.is_integer:
            raise ValueError(
                f'`"{name}"` should be integers. Received: {described(tensor)}'
            )
    inputs = {name: tf.cast(tensor, tf.int32) for name, tensor in inputs.items()}
    char_ids, lengths = inputs["char_ids"], inputs["sequence_len"]
    index = inputs.get("token_index", char_ids)
    ranks = (char_ids.shape.rank, index.shape.rank)
    if ranks != ((2, 2) if "token_index" in inputs else (3, 3)) or index.shape[1] == 0:
        received = ", ".join(f"{k}: {described(inputs[k])}" for k in inputs)
        raise ValueError(
            '`"char_ids"` should be (batch, max_length, characters) or, with '
            '`"token_index"` (batch, max_length), (distinct, characters), and '
            f"`max_length` at least 1. Received: {received}"
        )
    if char_ids.shape[-1] is not None and char_ids.shape[-1] < 3:
        raise ValueError(
            '`"char_ids"` should have at least 3 characters a token, its boundaries '
            f"and a byte. Received: {described(char_ids)}"
        )
    check_lengths(lengths, index, '`"char_ids"`')
    _require(
        tf.reduce_all(
            (char_ids >= 0) & (char_ids <= PADDING), axis=(1, 2)[: ranks[0] - 1]
        ),
        '`"char_ids"` should be in 0..261',
    )
    if "token_index" in inputs:
        in_range = (index >= 0) & (index < tf.shape(char_ids, index.dtype)[0])
        _require(
            tf.reduce_all(in_range, axis=1),
            '`"token_index"` should be rows of `"char_ids"`',
        )
    if boundaries:
        _check_boundaries(char_ids, inputs.get("token_index"), lengths)
    return inputs


def _check_boundaries(char_ids, token_index, lengths):
    """Each row begins and ends as its sentence, or has no token at all."""
    message = (
        f"Each row of the integers should be between {BEGIN_WORD} and "
        f"{END_WORD}, as this model was trained: make them with "
        "`ElmoPreprocessor(sentence_boundaries=True)`, or `elmo.preprocessor`"
    )
    last = tf.maximum(lengths - 1, 0)
    begin, end = tf.unstack(to_char_ids(tf.constant([BEGIN_WORD, END_WORD]), 3))
    if token_index is None:
        first_ids = char_ids[:, 0]
        last_ids = tf.gather(char_ids, last, batch_dims=1)
    else:
        first_ids = tf.gather(char_ids, token_index[:, 0])
        last_ids = tf.gather(char_ids, tf.gather(token_index, last, batch_dims=1))
    bounded = tf.reduce_all(first_ids[:, :3] == begin, axis=1) & tf.reduce_all(
        last_ids[:, :3] == end, axis=1
    )
    _require(bounded & (lengths >= 2) | (lengths == 0), message)


def check_lengths(lengths, rows, name):
    """`lengths` is (batch,), each within 0..time of `rows` (batch, time, ...)."""
    message = f'`"sequence_len"` should hold one length a row of {name}'
    if lengths.shape.rank != 1 or not lengths.shape.is_compatible_with(rows.shape[:1]):
        raise ValueError(
            f"{message}, shape {rows.shape[:1]}. Received: {described(lengths)}"
        )
    count, batch = tf.shape(lengths)[0], tf.shape(rows)[0]
    _require((count == batch)[None], message, tf.stack([[count, batch]]))
    time = tf.shape(rows, lengths.dtype)[1]
    _require(
        (lengths >= 0) & (lengths <= time),
        f'`"sequence_len"` should be in 0..{rows.shape[1] or "max_length"} of {name}',
        lengths,
    )


def _require(valid, message, values=None):
    """Raises unless `valid` (batch,) holds everywhere, naming the first bad row."""
    rows = tf.where(~valid)[:1, 0]  # the first bad row, or none
    if not tf.executing_eagerly():
        received = ["at row:", rows]
        if values is not None:
            received += ["Received:", tf.gather(values, rows)]
        tf.debugging.Assert(tf.reduce_all(valid), [message, *received])
    elif not tf.reduce_all(valid):
        row = int(rows[0])
        received = "" if values is None else f" {values[row].numpy()}"
        raise ValueError(f"{message}. Received:{received} at row {row}")


def described(tensor):
    return f"{tensor.dtype.name} of shape {tensor.shape}"
