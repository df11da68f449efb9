"""Which vectors are shown, and what is told of each."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.text.sentences import as_text, token_lists

_Found = Iterator[tuple[np.ndarray, str, str]]  # vector, text, label


class Points(NamedTuple):
    """Vectors to look at.

    Attributes:
        vectors: float32 `(n, dim)`.
        texts: What each is of: its sentence.
        labels: What each is coloured by: the word, or the group of its sentence.
    """

    vectors: np.ndarray
    texts: list[str]
    labels: list[str]


def sentence_points(
    elmo: ElmoEmbedding,
    sentences: Iterable,
    labels: Iterable[str],
    layer: str = "elmo",
    limit: int = 5000,
) -> Points:
    """A point a sentence, the mean of its tokens' vectors; none for an empty one.

    Args:
        elmo: The embedding.
        sentences: See `ElmoEmbedding.encode`. Little is read beyond `limit`.
        labels: Of each sentence.
        layer: Output to take the vectors of. Defaults to `"elmo"`.
        limit: The most points. Defaults to 5000, which browsers show without delay.

    Raises:
        ValueError: if there is no such output, or no point.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> points = sentence_points(elmo, ["the cat sat", ""], ["pets", "pets"])
    >>> points.vectors.shape, points.texts, points.labels
    ((1, 256), ['the cat sat'], ['pets'])
    """

    def find(tokens: list[bytes], vectors: np.ndarray, label: str) -> _Found:
        if tokens:
            yield vectors.mean(axis=0), _joined(tokens), label

    return _points(elmo, sentences, labels, layer, limit, find, "words")


def word_points(
    elmo: ElmoEmbedding,
    sentences: Iterable,
    words: Sequence[str],
    layer: str = "elmo",
    limit: int = 5000,
) -> Points:
    """A point for each time that one of some words comes, its vector in that sentence.

    Args:
        elmo: The embedding.
        sentences: See `sentence_points`; so are the others.
        words: Tokens to look for. They label the points; texts have them in brackets.

    Raises:
        ValueError: if there is no such output, or no point.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> points = word_points(elmo, ["the bank of a river", "a cat"], ["bank"])
    >>> points.texts, points.labels
    (['the [bank] of a river'], ['bank'])
    """
    wanted = {word.encode(): word for word in words}

    def find(tokens: list[bytes], vectors: np.ndarray, label: str) -> _Found:
        for place, token in enumerate(tokens):
            if token in wanted:
                marked = [*tokens[:place], b"[%s]" % token, *tokens[place + 1 :]]
                yield vectors[place], _joined(marked), wanted[token]

    missing = f"one of the words {list(words)}"
    return _points(elmo, sentences, itertools.repeat(""), layer, limit, find, missing)


def _points(
    elmo: ElmoEmbedding,
    sentences: Iterable,
    labels: Iterable[str],
    layer: str,
    limit: int,
    find: Callable[[list[bytes], np.ndarray, str], _Found],
    wanted: str,
) -> Points:
    layers = tuple(key for key in elmo.output_keys if key != "default")
    check_choice("layer", layer, layers)
    check_positive_integer("limit", limit)
    rows, embedded = itertools.tee(token_lists(sentences, elmo.tokenizer))
    vectors = elmo.encode_stream(embedded, output_key=layer)
    found = itertools.islice(
        itertools.chain.from_iterable(map(find, rows, vectors, labels)), limit
    )
    columns = list(zip(*found, strict=True))
    if not columns:
        raise ValueError(f"`sentences` should hold {wanted}. Received: none that does")
    return Points(np.stack(columns[0]), *map(list, columns[1:]))


def _joined(tokens: list[bytes]) -> str:
    return as_text(b" ".join(tokens))
