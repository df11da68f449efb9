"""The forms in which text comes in, made uniform."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.text.checks import (
    EXPECTED,
    check_lengths,
    check_symbolic,
    described,
    require_integers,
    require_strings,
    shortened,
)
from keras_elmo.text.tokenizers import TOKENIZERS, add_boundaries

_RANK_HINTS = {
    0: ". For one sentence, pass a list of one; in a `tf.data.Dataset`, batch first",
    2: ". For tokens, pass a list of lists or a RaggedTensor, or their number in each "
    'row as `"sequence_len"` too',
}
_TEXT = ("inputs", "tokens")


def as_tensors(inputs: Any) -> Any:
    """Python lists, NumPy arrays and the like as tensors; tensors as they are.

    A list of lists is taken as tokens and becomes a `tf.RaggedTensor`, also where all
    rows are equally long, so that a row never depends on the others.

    Raises:
        ValueError: if they can't be tensors, or are symbolic and of another dtype.
    """
    if isinstance(inputs, Mapping):
        return {name: _as_tensor(value, name) for name, value in inputs.items()}
    if isinstance(inputs, list | tuple) and any(
        isinstance(row, list | tuple) for row in inputs
    ):
        return _as_ragged_tokens(inputs)
    return _as_tensor(inputs, "inputs")


def to_ragged_tokens(
    inputs: Any, tokenizer: str, sentence_boundaries: bool
) -> tuple[tf.RaggedTensor, int | tf.Tensor | None]:
    """Either signature as tokens `(batch, None)` and the length to pad them to.

    The length does not count boundaries. It is None for that of the longest row.

    Args:
        inputs: Text, see `ElmoPreprocessor`; a batch.
        tokenizer: Name of one of `TOKENIZERS`.
        sentence_boundaries: Whether to put `<S>` and `</S>` around each row.

    Raises:
        ValueError: if `inputs` is not one of the forms of text.
    """
    max_length = None
    if isinstance(inputs, Mapping):
        tokens, max_length = _from_tokens(inputs)
    else:
        tokens = _from_sentences(inputs, tokenizer)
    return add_boundaries(tokens) if sentence_boundaries else tokens, max_length


def longest_row(tokens: tf.RaggedTensor, sentence_boundaries: bool) -> tf.Tensor:
    """The length of the longest row, of at least one token between the boundaries.

    Recurrent layers that follow need a time step.
    """
    least = 3 if sentence_boundaries else 1
    return tf.maximum(tf.reduce_max(tf.cast(tokens.row_lengths(), tf.int32)), least)


def _from_sentences(
    inputs: tf.Tensor | tf.RaggedTensor, tokenizer: str
) -> tf.RaggedTensor:
    inputs = require_strings(inputs, "inputs")
    if isinstance(inputs, tf.RaggedTensor):
        if inputs.shape.rank != 2:
            raise ValueError(f"Expected {EXPECTED}. Received: {described(inputs)}")
        return inputs
    if inputs.shape.rank == 2 and inputs.shape[1] == 1:
        inputs = inputs[:, 0]
    if inputs.shape.rank != 1:
        raise ValueError(
            f"Expected {EXPECTED}. Received: {described(inputs)}"
            + _RANK_HINTS.get(inputs.shape.rank, "")
        )
    return TOKENIZERS[tokenizer](inputs)


def _from_tokens(
    inputs: Mapping[str, tf.Tensor],
) -> tuple[tf.RaggedTensor, int | tf.Tensor]:
    if set(inputs) != {"tokens", "sequence_len"}:
        raise ValueError(f"Expected {EXPECTED}. Received: keys {sorted(inputs)}")
    tokens = require_strings(inputs["tokens"], '"tokens"')
    if isinstance(tokens, tf.RaggedTensor) or tokens.shape.rank != 2:
        raise ValueError(
            '`"tokens"` should be a dense tensor (batch, max_length); a '
            "RaggedTensor is passed alone, without `sequence_len`. "
            f"Received: {described(tokens)}"
        )
    lengths = require_integers(inputs["sequence_len"], '"sequence_len"')
    lengths = tf.cast(lengths, tf.int64)
    check_lengths(lengths, tokens, '`"tokens"`')
    ragged = tf.RaggedTensor.from_tensor(tokens, lengths)
    max_length = tokens.shape[1]
    if max_length is None:
        return ragged, tf.maximum(tf.shape(tokens)[1], 1)
    return ragged, max(max_length, 1)


def _as_ragged_tokens(rows: list | tuple) -> tf.RaggedTensor:
    """Rows of tokens, which need not be equally long."""
    for number, row in enumerate(rows):
        is_row = isinstance(row, list | tuple)
        if not is_row or not all(isinstance(token, str | bytes) for token in row):
            raise ValueError(
                "`inputs` should be a list of sentences, or a list of lists of tokens, "
                f"all of them strings. Received: {shortened(row)} as row {number}"
            )
    tokens = [token for row in rows for token in row]
    return tf.RaggedTensor.from_row_lengths(
        tf.constant(tokens, tf.string), [len(row) for row in rows]
    )


def _as_tensor(value: Any, name: str) -> Any:
    if isinstance(value, keras.KerasTensor):
        return check_symbolic(value, name, is_text=name in _TEXT)
    if tf.is_tensor(value):
        return value
    try:
        tensor = tf.convert_to_tensor(value)
    except (TypeError, ValueError, UnicodeError) as error:
        hint = ""
        if isinstance(value, list | tuple | np.ndarray) and len(value):
            hint = (
                ". Rows of different length are tokens: pass them alone, as a list of "
                "lists. Missing values (None, NaN) are not strings: replace them"
            )
        raise ValueError(
            f"`{name}` can't be made a tensor. Expected {EXPECTED}. "
            f"Received: {shortened(value)} (of type {type(value).__name__}){hint}"
        ) from error
    if name in _TEXT and 0 in tensor.shape:
        # NumPy gives an empty list the type float, but it is an empty batch of text.
        return tf.zeros(tensor.shape, tf.string)
    return tensor
