"""What a sentence says of one of its words, in vectors, and how two of them compare."""

from collections.abc import Sequence

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.vectors import embed_around


def embed_views(
    elmo: ElmoEmbedding, sentences: Sequence[Sequence[str]], positions: Sequence[int]
) -> dict[str, dict[str, np.ndarray]]:
    """Views of one token of every sentence, by layer and name.

    Args:
        elmo: An `ElmoEmbedding`, whose `do_layer_norm` is not True, see `encode`.
        sentences: The tokens of each sentence.
        positions: Of the token in each sentence.

    Returns:
        For each layer, `"word"`, the token's vector, and `"sentence"`, the mean of all
        tokens' vectors, both `(sentences, width)`. For layers that read the context,
        the halves of the former too, `"forward"` and `"backward"`; and of the tokens
        beside it the halves that have not read it: `"before"`, the forward half of the
        one before, `"after"`, the backward half of the one after, zeros where there is
        none, and `"around"`, the two of them.
    """
    views: dict[str, dict[str, list[np.ndarray]]] = {}
    for position, layers in embed_around(elmo, sentences, positions):
        for layer, vectors in layers.items():
            found = {"word": vectors[position], "sentence": vectors.mean(axis=0)}
            if layer != "word_emb":
                found |= _directions(vectors, position)
            for name, vector in found.items():
                views.setdefault(layer, {}).setdefault(name, []).append(vector)
    return {
        layer: {name: np.stack(vectors) for name, vectors in by_name.items()}
        for layer, by_name in views.items()
    }


def cosines(
    vectors: np.ndarray, others: np.ndarray, center: np.ndarray | float
) -> np.ndarray:
    """The cosine of each vector with the other one in its place.

    Args:
        vectors: `(n, width)`.
        others: The same.
        center: `(width,)` or a number, what to subtract from all of them first.

    Returns:
        `(n,)`; 0 where a vector is zeros.
    """
    vectors, others = vectors - center, others - center
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(others, axis=1)
    return np.sum(vectors * others, axis=1) / np.where(lengths == 0, 1, lengths)


def _directions(vectors: np.ndarray, position: int) -> dict[str, np.ndarray]:
    none = np.zeros((1, vectors.shape[1] // 2), vectors.dtype)
    forward, backward = np.split(vectors, 2, axis=1)
    before = np.concatenate([none, forward])[position]
    after = np.concatenate([backward, none])[position + 1]
    return {
        "forward": forward[position],
        "backward": backward[position],
        "before": before,
        "after": after,
        "around": np.concatenate([before, after]),
    }
