"""Sentences, one after the other, as rows of tokens for language modelling."""

from typing import TypeAlias

import tensorflow as tf

from keras_elmo.pretraining.vocabulary import Vocabulary

Batch: TypeAlias = dict[str, tf.Tensor]
# The target where there is nothing to predict.
NO_TARGET = -1


def pack(
    sentences: tf.RaggedTensor,
    vocabulary: Vocabulary,
    num_rows: int,
    unroll_steps: int,
) -> Batch:
    """Joins sentences to `num_rows` rows of tokens, and cuts these into batches.

    Args:
        sentences: Strings `(sentences, None)`, between `<S>` and `</S>`.
        vocabulary: The words to predict.
        num_rows: Rows of a batch. Each begins with a whole sentence, and they are
            about equally long.
        unroll_steps: Tokens of a row in a batch.

    Returns:
        Tensors `(batches, num_rows, unroll_steps)`: `"forward_inputs"` and
        `"backward_inputs"`, strings, the tokens read (empty for none);
        `"forward_targets"` and `"backward_targets"`, int32, the ids of the words to
        predict (`NO_TARGET` for none). In the backward tensors each sentence is
        reversed, and the order of the sentences is the same. `"continues"`, float32
        `(batches, num_rows, 1)`, is 0 in the first batch and 1 in all others.
    """
    first, last = sentences.row_starts(), sentences.row_limits() - 1
    read = {"forward": tf.ragged.range(first, last)}
    read["backward"] = tf.ragged.range(last, first, -1)
    # Sentences are as long in both directions, and so are rows.
    places = _places(read["forward"].row_splits, num_rows, unroll_steps)
    rows = {}
    for direction, step in (("forward", 1), ("backward", -1)):
        position = read[direction].flat_values
        inputs = tf.gather(sentences.flat_values, position)
        predicted = tf.gather(sentences.flat_values, position + step)
        for name, values, padding in (
            ("inputs", inputs, ""),
            ("targets", vocabulary.to_ids(predicted), NO_TARGET),
        ):
            padded = tf.concat([values, [padding]], axis=0)
            rows[f"{direction}_{name}"] = tf.gather(padded, places)
    begins = tf.one_hot(tf.zeros([num_rows, 1], tf.int32), tf.shape(places)[0], axis=0)
    return {**rows, "continues": 1 - begins}


def _places(row_splits: tf.Tensor, num_rows: int, unroll_steps: int) -> tf.Tensor:
    """Which token stands where, if sentences are cut into rows about equally long.

    Args:
        row_splits: int64 `(sentences + 1,)`, where each begins, and their tokens end.
        num_rows: See `pack`; so is `unroll_steps`.

    Returns:
        int64 `(batches, num_rows, unroll_steps)`, the number of tokens for none.
    """
    total = row_splits[-1]
    wanted = tf.range(num_rows, dtype=tf.int64) * total // num_rows
    # Each row begins with a sentence, or at the end if it is empty.
    starts = tf.gather(row_splits, tf.searchsorted(row_splits, wanted))
    limits = tf.concat([starts[1:], [total]], axis=0)
    longest = tf.reduce_max(limits - starts)
    num_batches = -(-longest // unroll_steps)
    time = tf.reshape(tf.range(num_batches * unroll_steps), [-1, 1, unroll_steps])
    place = tf.expand_dims(starts, 1) + time
    return tf.where(place < tf.expand_dims(limits, 1), place, total)
