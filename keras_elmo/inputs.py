"""The forms in which text and integers come in, checked and made uniform."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.integers import FORMS, PADDING
from keras_elmo.text import (
    BEGIN_WORD,
    END_WORD,
    TOKENIZERS,
    add_boundaries,
    to_char_ids,
)

_EXPECTED = (
    "strings of shape (batch,) or (batch, 1); "
    '{"tokens": strings (batch, max_length), "sequence_len": integers (batch,)}; '
    "a string RaggedTensor (batch, None) of tokens; or the integers of an "
    "`ElmoPreprocessor`"
)
_RANK_HINTS = {
    0: ". For one sentence, pass a list of one; in a `tf.data.Dataset`, batch first",
    2: '. For tokens, pass their number in each row as `"sequence_len"` too',
}


def as_tensors(inputs: Any) -> Any:
    """Python lists, NumPy arrays and the like as tensors; tensors as they are.

    Raises:
        ValueError: if they can't be.
    """
    if isinstance(inputs, Mapping):
        return {key: _as_tensor(value, key) for key, value in inputs.items()}
    return _as_tensor(inputs, "inputs")


def is_integers(inputs: Any) -> bool:
    """Whether `inputs` are the integers of an `ElmoPreprocessor`."""
    return isinstance(inputs, dict) and "char_ids" in inputs


def to_ragged_tokens(
    inputs: Any, tokenizer: str, sentence_boundaries: bool
) -> tuple[tf.RaggedTensor, int | tf.Tensor]:
    """Either signature as tokens `(batch, None)` and the length to pad them to.

    Args:
        inputs: Text, see `ElmoPreprocessor`; a batch.
        tokenizer: Name of one of `TOKENIZERS`.
        sentence_boundaries: Whether to put `<S>` and `</S>` around each row.

    Raises:
        ValueError: if `inputs` is not one of the forms of text.
    """
    signature = _from_tokens if isinstance(inputs, dict) else _from_sentences
    tokens, max_length = signature(inputs, tokenizer)
    if sentence_boundaries:
        return add_boundaries(tokens), max_length + 2
    return tokens, max_length


def _from_sentences(inputs, tokenizer):
    _check_strings(inputs, "inputs")
    if isinstance(inputs, tf.RaggedTensor):
        if inputs.shape.rank != 2:
            raise ValueError(f"Expected {_EXPECTED}. Received: {_described(inputs)}")
        tokens = inputs
    else:
        if inputs.shape.rank == 2 and inputs.shape[1] == 1:
            inputs = inputs[:, 0]
        if inputs.shape.rank != 1:
            raise ValueError(
                f"Expected {_EXPECTED}. Received: {_described(inputs)}"
                + _RANK_HINTS.get(inputs.shape.rank, "")
            )
        tokens = TOKENIZERS[tokenizer](inputs)
    # At least 1, so that layers that follow see a time step in empty text too.
    return tokens, tf.maximum(tf.cast(tokens.bounding_shape(axis=1), tf.int32), 1)


def check_integers(inputs: Mapping, boundaries: bool) -> dict[str, tf.Tensor]:
    """The integers as int32, if they are what an `ElmoPreprocessor` makes.

    Args:
        inputs: One of the two forms.
        boundaries: Whether each row should be between `<S>` and `</S>`.

    Raises:
        ValueError: naming what is wrong. Of values that are known only when a
            graph runs, `tf.errors.InvalidArgumentError`.
    """
    if set(inputs) not in FORMS:
        raise ValueError(f"Expected {_EXPECTED}. Received: keys {sorted(inputs)}")
    for name, tensor in inputs.items():
        if not tensor.dtype.is_integer:
            raise ValueError(
                f'`"{name}"` should be integers. Received: {_described(tensor)}'
            )
    inputs = {name: tf.cast(tensor, tf.int32) for name, tensor in inputs.items()}
    char_ids, lengths = inputs["char_ids"], inputs["sequence_len"]
    index = inputs.get("token_index", char_ids)
    ranks = (char_ids.shape.rank, index.shape.rank)
    if ranks != ((2, 2) if "token_index" in inputs else (3, 3)) or index.shape[1] == 0:
        received = ", ".join(f"{k}: {_described(inputs[k])}" for k in inputs)
        raise ValueError(
            '`"char_ids"` should be (batch, max_length, characters) or, with '
            '`"token_index"` (batch, max_length), (distinct, characters), and '
            f"`max_length` at least 1. Received: {received}"
        )
    if char_ids.shape[-1] is not None and char_ids.shape[-1] < 3:
        raise ValueError(
            '`"char_ids"` should have at least 3 characters a token, its boundaries '
            f"and a byte. Received: {_described(char_ids)}"
        )
    _check_lengths(lengths, index, '`"char_ids"`')
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


def _from_tokens(inputs, tokenizer):
    if set(inputs) != {"tokens", "sequence_len"}:
        raise ValueError(f"Expected {_EXPECTED}. Received: keys {sorted(inputs)}")
    tokens, lengths = inputs["tokens"], inputs["sequence_len"]
    _check_strings(tokens, '"tokens"')
    if isinstance(tokens, tf.RaggedTensor) or tokens.shape.rank != 2:
        raise ValueError(
            '`"tokens"` should be a dense tensor (batch, max_length); a '
            "RaggedTensor is passed alone, without `sequence_len`. "
            f"Received: {_described(tokens)}"
        )
    if not lengths.dtype.is_integer:
        raise ValueError(
            f'`"sequence_len"` should be integers. Received: {_described(lengths)}'
        )
    lengths = tf.cast(lengths, tf.int64)
    _check_lengths(lengths, tokens, '`"tokens"`')
    ragged = tf.RaggedTensor.from_tensor(tokens, lengths)
    max_length = tokens.shape[1]
    if max_length is None:
        return ragged, tf.maximum(tf.shape(tokens)[1], 1)
    return ragged, max(max_length, 1)


def _check_lengths(lengths, rows, name):
    """`lengths` is (batch,), each within 0..time of `rows` (batch, time, ...)."""
    message = f'`"sequence_len"` should hold one length a row of {name}'
    if lengths.shape.rank != 1 or not lengths.shape.is_compatible_with(rows.shape[:1]):
        raise ValueError(
            f"{message}, shape {rows.shape[:1]}. Received: {_described(lengths)}"
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


def _check_strings(tensor, name):
    if tensor.dtype != tf.string:
        raise ValueError(
            f"`{name}` should be strings. Expected {_EXPECTED}. "
            f"Received: {_described(tensor)}. (A `Sequential` model takes its input "
            "for numbers unless it starts with `keras.Input((), dtype='string')`)"
        )


def _as_tensor(value, name):
    if tf.is_tensor(value) or isinstance(value, keras.KerasTensor):
        return value
    try:
        tensor = tf.convert_to_tensor(value)
    except (TypeError, ValueError, UnicodeError) as error:
        hint = ""
        if isinstance(value, list | tuple | np.ndarray) and len(value):
            hint = (
                ". Rows of different length are tokens: pass "
                "`tf.ragged.constant(...)`. Missing values (None, NaN) are not strings"
            )
        raise ValueError(
            f"`{name}` can't be made a tensor. Expected {_EXPECTED}. "
            f"Received: {_shortened(value)} (of type {type(value).__name__}){hint}"
        ) from error
    if name in ("inputs", "tokens") and 0 in tensor.shape:
        # Nothing, of whatever type NumPy gives to it, is an empty batch of text.
        return tf.zeros(tensor.shape, tf.string)
    return tensor


def _described(tensor):
    return f"{tensor.dtype.name} of shape {tensor.shape}"


def _shortened(value):
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
