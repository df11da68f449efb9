"""Checks of what comes in, in direct calls and in graphs."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_elmo.char_ids import FORMS, PADDING
from keras_elmo.text.encode import boundary_ids
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

EXPECTED = (
    "strings of shape (batch,) or (batch, 1); "
    '{"tokens": strings (batch, max_length), "sequence_len": integers (batch,)}; '
    "a string RaggedTensor (batch, None) or a list of lists of tokens; or the integers "
    "of an `ElmoPreprocessor`"
)


def check_symbolic(
    tensor: keras.KerasTensor, name: str, is_text: bool
) -> keras.KerasTensor:
    """A symbolic input, if its dtype is right; an error before any data flows.

    Raises:
        ValueError: if it is of another dtype.
    """
    is_string = tensor.dtype == "string"
    if is_string != is_text or not (is_string or "int" in tensor.dtype):
        raise ValueError(
            _dtype_message(name, is_text, f"{tensor.dtype} of shape {tensor.shape}")
        )
    return tensor


def require_strings(tensor: tf.Tensor, name: str) -> tf.Tensor:
    """The tensor if it holds strings.

    Raises:
        ValueError: if it does not, in a direct call. In a graph it is
            `tf.errors.InvalidArgumentError` when the graph runs: Keras builds a
            subclassed model that it reloads by tracing it on numbers of the recorded
            shapes, and that trace never runs.
    """
    if tensor.dtype == tf.string:
        return tensor
    _refuse_dtype(_dtype_message(name, True, described(tensor)))
    return tf.as_string(tensor)


def require_integers(tensor: tf.Tensor, name: str) -> tf.Tensor:
    """The tensor if it holds integers; errors as of `require_strings`."""
    if tensor.dtype.is_integer:
        return tensor
    _refuse_dtype(_dtype_message(name, False, described(tensor)))
    # A string has no number, but any integers of its shape serve a trace.
    return (
        tf.zeros(tf.shape(tensor), tf.int32)
        if tensor.dtype == tf.string
        else (tf.cast(tensor, tf.int32))
    )


def check_encoded(
    inputs: Mapping, boundaries: bool, vocabulary: Any = None
) -> dict[str, tf.Tensor]:
    """The integers as int32, if they are what an `ElmoPreprocessor` makes.

    Args:
        inputs: One of the two forms.
        boundaries: Whether each row should be between `<S>` and `</S>`.
        vocabulary: The `TokenVocabulary` of the model, or None.

    Raises:
        ValueError: naming what is wrong. Of values that are known only when a
            graph runs, `tf.errors.InvalidArgumentError`.
    """
    if set(inputs) not in FORMS:
        raise ValueError(f"Expected {EXPECTED}. Received: keys {sorted(inputs)}")
    inputs = {
        name: tf.cast(require_integers(tensor, f'"{name}"'), tf.int32)
        for name, tensor in inputs.items()
    }
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
    least = 4 if vocabulary is not None and vocabulary.num_words else 3
    if char_ids.shape[-1] is not None and char_ids.shape[-1] < least:
        raise ValueError(
            f'`"char_ids"` should have at least {least} numbers a token: its '
            "boundaries and one between them"
            f"{', after that of the word' if least > 3 else ''}. Received: "
            f"{described(char_ids)}"
        )
    check_lengths(lengths, index, '`"char_ids"`')
    largest = PADDING if vocabulary is None else vocabulary.num_characters - 1
    axes = (1, 2)[: ranks[0] - 1]
    if least > 3:
        words, char_ids = char_ids[..., :1], char_ids[..., 1:]
        is_word = (words >= 0) & (words <= vocabulary.num_words)
        require(
            tf.reduce_all(is_word, axis=axes),
            'Numbers of words in `"char_ids"`, the first of each token, should be in '
            f"0..{vocabulary.num_words}",
        )
    require(
        tf.reduce_all((char_ids >= 0) & (char_ids <= largest), axis=axes),
        f'`"char_ids"` should be in 0..{largest}',
    )
    if "token_index" in inputs:
        in_range = (index >= 0) & (index < tf.shape(char_ids, index.dtype)[0])
        require(
            tf.reduce_all(in_range, axis=1),
            '`"token_index"` should be rows of `"char_ids"`',
        )
    if boundaries:
        _check_boundaries(
            inputs["char_ids"], inputs.get("token_index"), lengths, vocabulary
        )
    return inputs


def _check_boundaries(
    char_ids: tf.Tensor,
    token_index: tf.Tensor | None,
    lengths: tf.Tensor,
    vocabulary: Any,
) -> None:
    """Refuses rows that neither begin and end as a sentence does nor are empty."""
    message = (
        f"Each row of the integers should be between {BEGIN_WORD} and "
        f"{END_WORD}, as this model was trained: make them with "
        "`ElmoPreprocessor(sentence_boundaries=True)`, or `elmo.preprocessor`"
    )
    last = tf.maximum(lengths - 1, 0)
    begin, end = boundary_ids(3, vocabulary)
    count = len(begin)
    if token_index is None:
        first_ids = char_ids[:, 0]
        last_ids = tf.gather(char_ids, last, batch_dims=1)
    else:
        first_ids = tf.gather(char_ids, token_index[:, 0])
        last_ids = tf.gather(char_ids, tf.gather(token_index, last, batch_dims=1))
    bounded = tf.reduce_all(first_ids[:, :count] == begin, axis=1) & tf.reduce_all(
        last_ids[:, :count] == end, axis=1
    )
    require(bounded & (lengths >= 2) | (lengths == 0), message)


def check_lengths(lengths: tf.Tensor, rows: tf.Tensor, name: str) -> None:
    """Refuses lengths that are not (batch,) within 0..time of (batch, time, ...)."""
    message = f'`"sequence_len"` should hold one length a row of {name}'
    if lengths.shape.rank != 1 or not lengths.shape.is_compatible_with(rows.shape[:1]):
        raise ValueError(
            f"{message}, shape {rows.shape[:1]}. Received: {described(lengths)}"
        )
    count, batch = tf.shape(lengths)[0], tf.shape(rows)[0]
    require((count == batch)[None], message, tf.stack([[count, batch]]))
    time = tf.shape(rows, lengths.dtype)[1]
    require(
        (lengths >= 0) & (lengths <= time),
        f'`"sequence_len"` should be in 0..{rows.shape[1] or "max_length"} of {name}',
        lengths,
    )


def _dtype_message(name: str, is_text: bool, received: str) -> str:
    if not is_text:
        return f"`{name}` should be integers. Received: {received}"
    return (
        f"`{name}` should be strings. Expected {EXPECTED}. Received: {received}. (A "
        "`Sequential` model takes its input for numbers unless it starts with "
        "`keras.Input((), dtype='string')`)"
    )


def _refuse_dtype(message: str) -> None:
    if tf.executing_eagerly():
        raise ValueError(message)
    tf.debugging.Assert(False, [message])


def require(valid: tf.Tensor, message: str, values: tf.Tensor | None = None) -> None:
    """Raises unless `valid` (batch,) holds everywhere, naming the first bad row."""
    rows = tf.where(~valid)[:1, 0]  # the first bad row, or none
    if not tf.executing_eagerly():
        data = [message, "at row:", rows]
        if values is not None:
            data += ["Received:", tf.gather(values, rows)]
        tf.debugging.Assert(tf.reduce_all(valid), data)
    elif not tf.reduce_all(valid):
        row = int(rows[0])
        received = "" if values is None else f" {values[row].numpy()}"
        raise ValueError(f"{message}. Received:{received} at row {row}")


def described(tensor: tf.Tensor) -> str:
    """Dtype and shape, for an error."""
    return f"{tensor.dtype.name} of shape {tensor.shape}"


def shortened(value: Any) -> str:
    """A value of any length, for an error."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
