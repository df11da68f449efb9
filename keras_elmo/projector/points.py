"""Which vectors are shown, and what is told of each."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.text.sentences import as_text, check_sentences, token_lists


@dataclasses.dataclass(frozen=True)
class Points:
    """Vectors to look at.

    Args:
        vectors: float32 `(n, dim)`.
        texts: What each is of: its sentence.
        labels: What each is coloured by: the word, or the group of its sentence.

    Raises:
        ValueError: if there are not as many of each, or a vector is not finite.

    Example:

    >>> Points(np.zeros((1, 4), "float32"), ["a cat"], ["pets"]).labels
    ['pets']
    """

    vectors: np.ndarray
    texts: list[str]
    labels: list[str]

    def __post_init__(self) -> None:
        shape, counts = np.shape(self.vectors), (len(self.texts), len(self.labels))
        if len(shape) != 2 or counts != (shape[0], shape[0]):
            raise ValueError(
                "`vectors` should be (n, dim), with n `texts` and n `labels`. "
                f"Received: shape {shape}, {counts[0]} texts and {counts[1]} labels. "
                "Give a text and a label for each vector"
            )
        if not np.isfinite(self.vectors).all():
            raise ValueError(
                "`vectors` should be finite. Received: NaN or infinity. Look for the "
                "cause in the weights"
            )


def sentence_points(
    elmo: ElmoEmbedding,
    groups: Mapping[str, Iterable],
    layer: str = "elmo",
    limit: int = 2000,
) -> Points:
    """A point a sentence, the mean of its tokens' vectors; none for an empty one.

    Args:
        elmo: The embedding.
        groups: For each label, the sentences: see `ElmoEmbedding.encode`.
        layer: Output to take the vectors of. Defaults to `"elmo"`.
        limit: The most points of a label, the first ones. Defaults to 2000, because
            browsers show some thousands without delay.

    Returns:
        The `Points`, whose texts are the tokens with a space between them.

    Raises:
        ValueError: if an argument is not as described, or no sentence has a token.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> points = sentence_points(elmo, {"pets": ["the cat sat", ""], "sea": ["a ship"]})
    >>> points.vectors.shape, points.texts, points.labels
    ((2, 256), ['the cat sat', 'a ship'], ['pets', 'sea'])
    """
    check_positive_integer("limit", limit)
    if not isinstance(groups, Mapping):
        raise ValueError(
            "`groups` should be a dictionary of sentences by label, such as "
            f'{{"": sentences}}. Received: {type(groups).__name__}'
        )
    found: list[tuple[np.ndarray, str, str]] = []
    for label, sentences in groups.items():
        check_sentences(sentences)
        rows = ((t, None) for t in token_lists(sentences, elmo.tokenizer) if t)
        for tokens, _, vectors in _embed(elmo, itertools.islice(rows, limit), layer):
            found.append((vectors.mean(axis=0), _joined(tokens), label))
    return _points(found, "tokens")


def word_points(
    elmo: ElmoEmbedding,
    sentences: Iterable,
    words: Sequence[str],
    layer: str = "elmo",
    limit: int = 2000,
) -> Points:
    """A point for each time that one of some words comes, its vector in that sentence.

    Args:
        elmo: The embedding.
        sentences: See `ElmoEmbedding.encode`. Those without the words are not embedded.
        words: Tokens to look for, which label the points.
        layer: See `sentence_points`.
        limit: The most points of a word, the first ones. See `sentence_points`.

    Returns:
        The `Points`, whose texts have the word in brackets.

    Raises:
        ValueError: if an argument is not as described, or none of the words is there.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> points = word_points(elmo, ["the bank of a river", "a cat"], ["bank"])
    >>> points.texts, points.labels
    (['the [bank] of a river'], ['bank'])
    """
    check_positive_integer("limit", limit)
    check_sentences(sentences)
    if (
        isinstance(words, str)
        or not words
        or not all(isinstance(w, str) for w in words)
    ):
        raise ValueError(
            f"`words` should be a list of strings, one at least. Received: {words!r}"
        )
    # A command may be given bytes that are no UTF-8, and so may a text.
    left = {word.encode(errors="surrogateescape"): limit for word in words}

    def find() -> Iterator[tuple[list[bytes], list[int]]]:
        for tokens in token_lists(sentences, elmo.tokenizer):
            places = []
            for place, token in enumerate(tokens):
                if left.get(token):
                    left[token] -= 1
                    places.append(place)
            if places:
                yield tokens, places
            if not any(left.values()):
                return

    found = [
        (vectors[place], _joined(_marked(tokens, place)), as_text(tokens[place]))
        for tokens, places, vectors in _embed(elmo, find(), layer)
        for place in places
    ]
    return _points(found, f"one of the words {list(words)}")


def _embed(
    elmo: ElmoEmbedding, rows: Iterator[tuple[list[bytes], Any]], layer: str
) -> Iterator[tuple[list[bytes], Any, np.ndarray]]:
    """Adds the vectors of its tokens to each row."""
    layers = tuple(key for key in elmo.output_keys if key != "default")
    check_choice("layer", layer, layers)
    rows, embedded = itertools.tee(rows)
    stream = elmo.encode_stream((tokens for tokens, _ in embedded), output_key=layer)
    for (tokens, known), vectors in zip(rows, stream, strict=True):
        yield tokens, known, vectors.astype("float32")


def _points(found: list[tuple[np.ndarray, str, str]], wanted: str) -> Points:
    if not found:
        raise ValueError(
            f"The sentences should hold {wanted}. Received: none that does. Are words "
            "and punctuation split as `tokenizer` does?"
        )
    vectors, texts, labels = zip(*found, strict=True)
    return Points(np.stack(vectors), list(texts), list(labels))


def _marked(tokens: list[bytes], place: int) -> list[bytes]:
    return [*tokens[:place], b"[%s]" % tokens[place], *tokens[place + 1 :]]


def _joined(tokens: list[bytes]) -> str:
    return as_text(b" ".join(tokens))
