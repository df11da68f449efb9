"""From what an `ElmoEmbedding` is called with to what its biLM reads."""

from typing import Any

import tensorflow as tf

from keras_elmo.char_ids import is_encoded, length_mask, positions
from keras_elmo.text.checks import check_encoded
from keras_elmo.text.encode import encode_distinct, encode_with_cache
from keras_elmo.text.inputs import longest_row, to_ragged_tokens


def encode_inputs(
    inputs: Any,
    tokenizer: str,
    sentence_boundaries: bool,
    max_characters: int,
    word_cache: Any,
    padded: bool,
    token_vocabulary: Any = None,
) -> tuple[dict[str, tf.Tensor], int | tf.Tensor | None]:
    """Text, or an encoded batch, as an encoded batch that is right.

    Args:
        inputs: See the call arguments of `ElmoEmbedding`, as tensors.
        tokenizer: See `ElmoEmbedding`; so are the next three.
        padded: Whether an encoded batch keeps its padding. Text is never padded beyond
            its longest row.
        token_vocabulary: The `TokenVocabulary` of the model. Defaults to None: bytes.

    Returns:
        The encoded batch, and the length that the outputs should have: None if it is
        that of the batch, or one that may be greater, where all that is computed of the
        difference are zeros.

    Raises:
        ValueError: if `inputs` are not of one of the forms.
    """
    if is_encoded(inputs):
        encoded = check_encoded(inputs, sentence_boundaries, token_vocabulary)
        if padded:
            return encoded, None
        return _without_padding(encoded), output_length(encoded, sentence_boundaries)
    tokens, max_length = to_ragged_tokens(inputs, tokenizer, sentence_boundaries)
    arguments = tokens, longest_row(tokens, sentence_boundaries), max_characters
    if word_cache is None:
        encoded = encode_distinct(*arguments, token_vocabulary)
    else:
        encoded = encode_with_cache(*arguments, word_cache, token_vocabulary)
    return encoded, max_length


def output_length(
    encoded: dict[str, tf.Tensor], sentence_boundaries: bool
) -> int | tf.Tensor:
    """The length of the outputs of an encoded batch, as a number if it is known."""
    sequences = positions(encoded)
    length = sequences.shape[1]
    if length is None:
        length = tf.shape(sequences)[1]
    return length - 2 if sentence_boundaries else length


def _without_padding(encoded: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """An encoded batch as long as its longest row, and with one index a token."""
    # Three positions leave one where boundaries are removed.
    longest = tf.maximum(tf.reduce_max(encoded["sequence_len"]), 3)
    if "token_index" in encoded:
        return {**encoded, "token_index": encoded["token_index"][:, :longest]}
    char_ids = encoded["char_ids"][:, :longest]
    is_token = length_mask({**encoded, "char_ids": char_ids})
    count = tf.cumsum(tf.cast(tf.reshape(is_token, [-1]), tf.int32))
    index = tf.reshape(count, tf.shape(is_token)) * tf.cast(is_token, tf.int32)
    char_ids = tf.boolean_mask(char_ids, is_token)
    return {
        "char_ids": tf.pad(char_ids, [[1, 0], [0, 0]]),
        "token_index": index,
        "sequence_len": encoded["sequence_len"],
    }
