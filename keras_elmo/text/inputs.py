"""The forms in which text and encoded batches come in, made uniform."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.text.checks import EXPECTED, check_lengths, described
from keras_elmo.text.tokenizers import TOKENIZERS, add_boundaries

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


def is_encoded(inputs: Any) -> bool:
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
            raise ValueError(f"Expected {EXPECTED}. Received: {described(inputs)}")
        tokens = inputs
    else:
        if inputs.shape.rank == 2 and inputs.shape[1] == 1:
            inputs = inputs[:, 0]
        if inputs.shape.rank != 1:
            raise ValueError(
                f"Expected {EXPECTED}. Received: {described(inputs)}"
                + _RANK_HINTS.get(inputs.shape.rank, "")
            )
        tokens = TOKENIZERS[tokenizer](inputs)
    # At least 1, so that layers that follow see a time step in empty text too.
    return tokens, tf.maximum(tf.cast(tokens.bounding_shape(axis=1), tf.int32), 1)


def _from_tokens(inputs, tokenizer):
    if set(inputs) != {"tokens", "sequence_len"}:
        raise ValueError(f"Expected {EXPECTED}. Received: keys {sorted(inputs)}")
    tokens, lengths = inputs["tokens"], inputs["sequence_len"]
    _check_strings(tokens, '"tokens"')
    if isinstance(tokens, tf.RaggedTensor) or tokens.shape.rank != 2:
        raise ValueError(
            '`"tokens"` should be a dense tensor (batch, max_length); a '
            "RaggedTensor is passed alone, without `sequence_len`. "
            f"Received: {described(tokens)}"
        )
    if not lengths.dtype.is_integer:
        raise ValueError(
            f'`"sequence_len"` should be integers. Received: {described(lengths)}'
        )
    lengths = tf.cast(lengths, tf.int64)
    check_lengths(lengths, tokens, '`"tokens"`')
    ragged = tf.RaggedTensor.from_tensor(tokens, lengths)
    max_length = tokens.shape[1]
    if max_length is None:
        return ragged, tf.maximum(tf.shape(tokens)[1], 1)
    return ragged, max(max_length, 1)


def _check_strings(tensor, name):
    if tensor.dtype != tf.string:
        raise ValueError(
            f"`{name}` should be strings. Expected {EXPECTED}. "
            f"Received: {described(tensor)}. (A `Sequential` model takes its input "
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
            f"`{name}` can't be made a tensor. Expected {EXPECTED}. "
            f"Received: {_shortened(value)} (of type {type(value).__name__}){hint}"
        ) from error
    if name in ("inputs", "tokens") and 0 in tensor.shape:
        # Nothing, of whatever type NumPy gives to it, is an empty batch of text.
        return tf.zeros(tensor.shape, tf.string)
    return tensor


def _shortened(value):
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
