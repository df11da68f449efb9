"""The vectors of single tokens, by layer."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_elmo.embedding import ElmoEmbedding

_BATCH_SIZE = 64


def embed_tokens(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]]
) -> dict[str, list[np.ndarray]]:
    """Each layer's vectors of every token.

    Args:
        elmo: An `ElmoEmbedding` with `output_key=None`.
        sentences: Their tokens.

    Returns:
        By name of the layer, `(tokens, width)` for each sentence.
    """
    embed = tf.function(elmo, reduce_retracing=True)
    # Of similar length together, so that little of a batch is padding.
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
    embedded: dict[str, list] = {}
    for start in range(0, len(order), _BATCH_SIZE):
        batch = order[start : start + _BATCH_SIZE]
        outputs = embed(tf.ragged.constant([list(sentences[i]) for i in batch]))
        del outputs["default"]  # a mean of tokens
        for name, tensor in outputs.items():
            vectors = embedded.setdefault(name, [None] * len(order))
            for index, row in zip(batch, tensor.numpy(), strict=True):
                vectors[index] = row[: len(sentences[index])]
    return embedded


def embed_words(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]], positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """Each layer's vector of one token of every sentence, `(sentences, width)`."""
    return {
        name: np.stack(
            [rows[position] for rows, position in zip(vectors, positions, strict=True)]
        )
        for name, vectors in embed_tokens(elmo, sentences).items()
    }
