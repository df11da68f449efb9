"""The few sizes that batches are padded to, because XLA compiles every shape anew.

A bucket is a number of rows and of positions, which decide all other sizes. There are
19 for up to 64 sentences of 512 tokens. A batch of these with more distinct tokens than
text has takes a larger one, of which one more suffices: 20 programs in all.
"""

import tensorflow as tf

from keras_elmo.char_ids import PADDING, positions

# Few numbers of rows: one, as a server of single sentences has, and some more. Numbers
# of positions are closer, because every one is a step; they are powers of two, and the
# two boundaries of a sentence.
_BATCHES = [1, 8, 32, *(64 << doubled for doubled in range(15))]
_TIMES = [2 + (16 << doubled) for doubled in range(17)]
_LARGEST = 64, 514
_MOST_POSITIONS = 2**26  # of which memory holds no activations


def bucket_sizes():
    """All buckets `(batch, time, distinct)`; a batch takes the first that holds it."""
    sizes = [
        (batch, time, _distinct(batch, time))
        for batch in _BATCHES
        for time in _times(batch)
        if batch * time <= _MOST_POSITIONS
    ]
    return sorted(sizes, key=_order)


def _times(batch):
    """Fewer for one row, whose padding costs little, and none so short for many."""
    if batch == 1:
        return _TIMES[1::2]
    return _TIMES if batch == 8 else _TIMES[1:]


def _distinct(batch, time):
    """Room for all tokens of a small bucket; text has fewer, the larger it is."""
    return min(batch * time + 1, batch * time // 2 + 128)


def _order(size):
    batch, time, _ = size
    # The large ones come last: else some small batches of many distinct tokens would
    # take one of them, a program more, where one of the others does.
    return batch > _LARGEST[0] or time > _LARGEST[1], batch * time


_SIZES = bucket_sizes()


def pad_to_buckets(encoded, max_characters):
    """Pads an encoded batch to the first bucket that holds it.

    It appends rows and positions without a token and, to distinct tokens, padding up
    to `max_characters`, none of which changes an embedding.

    Args:
        encoded: Any form, see `ElmoPreprocessor`, up to 2**26 positions.
        max_characters: Ids of a full token.

    Returns:
        The same form, its axes as long or longer. Its shapes follow from the bucket,
        the form and `max_characters`.

    Example:

    >>> encoded = {
    ...     "char_ids": tf.zeros([5, 7], "int32"),
    ...     "token_index": tf.zeros([3, 20], "int32"),
    ...     "sequence_len": tf.zeros([3], "int32"),
    ... }
    >>> padded = pad_to_buckets(encoded, max_characters=50)
    >>> {name: tuple(tensor.shape) for name, tensor in padded.items()}
    {'sequence_len': (8,), 'char_ids': (264, 50), 'token_index': (8, 34)}
    """
    batch, time, distinct = _bucket(encoded)
    char_ids = _pad_characters(encoded["char_ids"], max_characters)
    padded = {"sequence_len": _pad(encoded["sequence_len"], [batch])}
    if "token_index" in encoded:
        padded["char_ids"] = _pad(char_ids, [distinct, max_characters])
        padded["token_index"] = _pad(encoded["token_index"], [batch, time])
    else:
        padded["char_ids"] = _pad(char_ids, [batch, time, max_characters])
    if "word_emb" in encoded:
        word_emb = encoded["word_emb"]
        padded["word_emb"] = _pad(word_emb, [distinct, word_emb.shape[-1]])
    return padded


def _bucket(encoded):
    batch, time, *_ = tf.unstack(tf.shape(positions(encoded)))
    distinct = 0
    if "token_index" in encoded:
        tables = [encoded[name] for name in ("char_ids", "word_emb") if name in encoded]
        distinct = tf.reduce_max([tf.shape(table)[0] for table in tables])
    holds = tf.reduce_all(tf.constant(_SIZES) >= [batch, time, distinct], axis=1)
    return tf.unstack(tf.gather(_SIZES, tf.argmax(tf.cast(holds, tf.int32))), 3)


def _pad_characters(char_ids, max_characters):
    missing = max_characters - tf.shape(char_ids)[-1]
    paddings = [[0, 0]] * (char_ids.shape.rank - 1) + [[0, missing]]
    return tf.pad(char_ids, paddings, constant_values=PADDING)


def _pad(tensor, sizes):
    missing = tf.stack(sizes) - tf.shape(tensor)
    return tf.pad(tensor, tf.stack([tf.zeros_like(missing), missing], axis=1))
