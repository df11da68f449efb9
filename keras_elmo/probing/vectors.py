"""The vectors of single tokens, by layer."""

from collections.abc import Sequence

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding


def embed_tokens(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]]
) -> dict[str, list[np.ndarray]]:
    """Each layer's vectors of every token.

    Args:
        elmo: An `ElmoEmbedding`, whose `do_layer_norm` is not True, see `encode`.
        sentences: The tokens of each sentence.

    Returns:
        For each layer by name, one array `(tokens, width)` a sentence.
    """
    embedded = elmo.encode(sentences, output_key=None, progress=False)
    del embedded["default"]  # a mean over tokens, and no vector of a token
    return embedded


def embed_words(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]], positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """Each layer's vector of one token of every sentence, `(sentences, width)`."""
    embedded: dict[str, list] = {}
    stream = elmo.encode_stream(sentences, output_key=None)
    for position, outputs in zip(positions, stream, strict=True):
        del outputs["default"]
        for name, vectors in outputs.items():
            embedded.setdefault(name, []).append(vectors[position])
    return {name: np.stack(vectors) for name, vectors in embedded.items()}
