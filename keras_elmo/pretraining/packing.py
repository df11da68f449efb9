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
    directions = {"forward": sentences, "backward": _reversed(sentences)}
    rows = {}
    for direction, tokens in directions.items():
        read, predicted = tokens[:, :-1], tokens[:, 1:]
        starts = _starts_of_rows(read, num_rows)
        for name, values in (
            ("inputs", read.flat_values),
            ("targets", vocabulary.to_ids(predicted.flat_values)),
        ):
            rows[f"{direction}_{name}"] = _cut(values, starts, unroll_steps)
    num_batches = tf.shape(rows["forward_inputs"])[0]
    begins = tf.one_hot(tf.zeros([num_rows, 1], tf.int32), num_batches, axis=0)
    return {**rows, "continues": 1 - begins}


def _reversed(tokens: tf.RaggedTensor) -> tf.RaggedTensor:
    """Each row of a ragged tensor from its end."""
    first, last = tokens.row_starts(), tokens.row_limits() - 1
    position = tf.ragged.range(last, first - 1, -1).flat_values
    return tokens.with_flat_values(tf.gather(tokens.flat_values, position))


def _starts_of_rows(sentences: tf.RaggedTensor, num_rows: int) -> tf.Tensor:
    """The places to cut one row of sentences into `num_rows`, about equally long.

    Returns:
        int64 `(num_rows,)`, indices of tokens, each the first of a sentence (or the
        number of tokens, for an empty row).
    """
    total = tf.size(sentences.flat_values, tf.int64)
    wanted = tf.range(num_rows, dtype=tf.int64) * total // num_rows
    starts = tf.concat([sentences.row_starts(), [total]], axis=0)
    return tf.gather(starts, tf.searchsorted(starts, wanted))


def _cut(values: tf.Tensor, starts: tf.Tensor, unroll_steps: int) -> tf.Tensor:
    """`(tokens,)` as `(batches, num_rows, unroll_steps)`.

    Rows that end early are padded with `""` or `NO_TARGET`.
    """
    # To check the starts would take a third of the graph of a whole corpus.
    rows = tf.RaggedTensor.from_row_starts(values, starts, validate=False)
    num_batches = -(-rows.bounding_shape(axis=1) // unroll_steps)
    dense = rows.to_tensor(
        "" if values.dtype == tf.string else NO_TARGET,
        shape=tf.stack([-1, num_batches * unroll_steps]),
    )
    num_rows = starts.shape[0]
    return tf.transpose(
        tf.reshape(dense, [num_rows, num_batches, unroll_steps]), [1, 0, 2]
    )
