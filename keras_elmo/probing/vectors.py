"""The vectors of single tokens, by layer."""

from collections.abc import Iterator, Sequence

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
    elmo: ElmoEmbedding, sentences: Sequence, positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """Each layer's vector of one token of every sentence.

    Args:
        elmo: An `ElmoEmbedding`, whose `do_layer_norm` is not True, see `encode`.
        sentences: Strings, or lists of tokens.
        positions: Of the token in each sentence, from 0.

    Returns:
        For each layer by name, the vectors `(sentences, width)`.

    Raises:
        ValueError: if there are not as many positions, or no token at one of them.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> vectors = embed_words(elmo, ["the bank", "a river bank"], [1, 2])
    >>> {layer: of_layer.shape for layer, of_layer in vectors.items()}["elmo"]
    (2, 256)
    """
    embedded: dict[str, list] = {}
    for position, layers in embed_around(elmo, sentences, positions):
        for name, vectors in layers.items():
            embedded.setdefault(name, []).append(vectors[position])
    return {name: np.stack(vectors) for name, vectors in embedded.items()}


def embed_around(
    elmo: ElmoEmbedding, sentences: Sequence, positions: Sequence[int]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """For each sentence the position and, by layer, the vectors of all tokens.

    Raises:
        ValueError: see `embed_words`.
    """
    stream = elmo.encode_stream(sentences, output_key=None)
    if len(sentences) != len(positions):
        raise ValueError(
            "`positions` should hold one for each sentence. Received: "
            f"{len(positions)} positions, {len(sentences)} sentences"
        )
    for number, (position, layers) in enumerate(zip(positions, stream, strict=True)):
        del layers["default"]  # which is of no token
        count = len(layers["elmo"])
        if not 0 <= position < count:
            raise ValueError(
                "`positions` should be those of tokens, counted from 0. Received: "
                f"{position} for sentence {number}, which has {count} tokens"
            )
        yield position, layers
