"""The vectors of single tokens, by layer."""

from collections.abc import Iterator, Sequence

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
        sentences: The tokens of each sentence.

    Returns:
        For each layer by name, one array `(tokens, width)` a sentence.
    """
    embedded: dict[str, list] = {}
    for index, layers in _embed(elmo, sentences):
        for name, vectors in layers.items():
            rows = embedded.setdefault(name, [None] * len(sentences))
            rows[index] = vectors.copy()  # so that the whole batch can be freed
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


def _embed(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """The index and the layers of each sentence, ordered by length to pad little."""
    embed = tf.function(elmo, reduce_retracing=True)
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
    for start in range(0, len(order), _BATCH_SIZE):
        batch = order[start : start + _BATCH_SIZE]
        outputs = embed(tf.ragged.constant([list(sentences[i]) for i in batch]))
        del outputs["default"]  # a mean over tokens, and no vector of a token
        layers = {name: tensor.numpy() for name, tensor in outputs.items()}
        for row, index in enumerate(batch):
            length = len(sentences[index])
            yield index, {name: layers[name][row, :length] for name in layers}
