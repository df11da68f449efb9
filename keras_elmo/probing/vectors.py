"""The vectors of single tokens, by layer."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding

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
    embedded: dict[str, list] = {}
    for index, layers in _embed(elmo, sentences):
        for name, vectors in layers.items():
            rows = embedded.setdefault(name, [None] * len(sentences))
            rows[index] = vectors.copy()  # of the batch, nothing else is kept
    return embedded


def embed_words(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]], positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """Each layer's vector of one token of every sentence, `(sentences, width)`."""
    embedded: dict[str, list] = {}
    for index, layers in _embed(elmo, sentences):
        for name, vectors in layers.items():
            rows = embedded.setdefault(name, [None] * len(sentences))
            rows[index] = vectors[positions[index]].copy()
    return {name: np.stack(rows) for name, rows in embedded.items()}


def _embed(elmo, sentences):
    """Index and layers of each sentence, in an order that leaves little padding."""
    embed = tf.function(elmo, reduce_retracing=True)
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
    for start in range(0, len(order), _BATCH_SIZE):
        batch = order[start : start + _BATCH_SIZE]
        outputs = embed(tf.ragged.constant([list(sentences[i]) for i in batch]))
        del outputs["default"]  # a mean of tokens
        layers = {name: tensor.numpy() for name, tensor in outputs.items()}
        for row, index in enumerate(batch):
            length = len(sentences[index])
            yield index, {name: layers[name][row, :length] for name in layers}
