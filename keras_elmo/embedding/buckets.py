"""Sizes rounded up, because XLA compiles anew for every shape."""

import tensorflow as tf

from keras_elmo.char_ids import PADDING

# Steps of a third to a half bound both the number of programs and what is
# computed in vain.
_SIZES = [1, 2, 4, 8, *sorted(step << k for k in range(20) for step in (12, 16))]


def pad_to_buckets(integers, max_characters):
    """Pads the integers of an `ElmoPreprocessor` to one of a few sizes.

    What is added is rows and positions without a token and, for distinct tokens,
    padding up to `max_characters`. It changes no embedding.

    Args:
        integers: Either form, see `ElmoPreprocessor`.
        max_characters: Ids of a full token.

    Returns:
        The same form, its axes (but that of the characters in the dense form)
        as long or longer.
    """
    rounded = {name: _grow(tensor, axis=0) for name, tensor in integers.items()}
    if "token_index" in integers:
        char_ids = _grow(rounded["char_ids"], axis=1, value=PADDING)
        rounded["char_ids"] = char_ids[:, :max_characters]
        rounded["token_index"] = _grow(rounded["token_index"], axis=1)
    else:
        rounded["char_ids"] = _grow(rounded["char_ids"], axis=1)
    return rounded


def _grow(tensor, axis, value=0):
    size = tf.shape(tensor)[axis]
    target = tf.gather(_SIZES, tf.searchsorted(_SIZES, size[None]))[0]
    missing = tf.one_hot(axis, tensor.shape.rank, on_value=target - size, dtype="int32")
    paddings = tf.stack([tf.zeros_like(missing), missing], axis=1)
    return tf.pad(tensor, paddings, constant_values=value)
