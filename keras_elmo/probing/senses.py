"""The sense of a word, by the nearest vector and by a linear classifier."""

import os
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.classifiers import cross_validate, linear_classifier
from keras_elmo.probing.vectors import embed_words

# The quotation marks of the Penn Treebank, as other text writes them.
_QUOTES = {"``": '"', "''": '"'}


class SenseTagged(NamedTuple):
    """A sentence, and the sense of the word at `position`."""

    tokens: list[str]
    position: int
    sense: str


def read_senses(path: str | os.PathLike) -> list[SenseTagged]:
    """Reads a file of Senseval's lexical samples, such as `interest.pos`.

    Raises:
        ValueError: if the file can't be read, or has no tagged words.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(
            "Senses should be tagged in Senseval's XML. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). Pass a .pos file."
        ) from error
    examples = [
        example
        for instance in root.iter("instance")
        if (example := _read_instance(instance)) is not None
    ]
    if not examples:
        raise ValueError(
            "Senses should be tagged in Senseval's XML: instances with an answer, a "
            f"context and a head. Received: {os.fspath(path)!r}, which has none. "
            "Pass a .pos file."
        )
    return examples


def probe_senses(
    elmo: ElmoEmbedding, path: str | os.PathLike, folds: int = 5, seed: int = 1
) -> dict[str, dict[str, float]]:
    """Accuracy of each layer, by k-fold cross-validation.

    Args:
        elmo: The embedding.
        path: File of tagged sentences, see `read_senses`.
        folds: Number of folds, each with about the same share of every sense. Defaults
            to 5.
        seed: Seed of the folds. Defaults to 1.

    Returns:
        For each layer, the accuracy of `"nearest"`, the sense of the training example
        with the highest cosine, and of `"linear"`, a logistic regression. `"majority"`
        is that of the most frequent sense.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.neighbors import KNeighborsClassifier

    examples = read_senses(path)
    senses = np.array([example.sense for example in examples])

    def accuracy(classifier: Any, vectors: np.ndarray) -> float:
        return cross_validate(classifier, vectors, senses, folds, seed)

    layers = embed_words(
        elmo,
        [example.tokens for example in examples],
        [example.position for example in examples],
    )
    classifiers = {
        "nearest": KNeighborsClassifier(1, metric="cosine"),
        "linear": linear_classifier(),
    }
    majority = accuracy(DummyClassifier(), np.zeros((len(senses), 1)))
    scores = {"majority": dict.fromkeys(classifiers, majority)}
    for layer, vectors in layers.items():
        scores[layer] = {
            name: accuracy(classifier, vectors)
            for name, classifier in classifiers.items()
        }
    return scores


def _read_instance(instance: ElementTree.Element) -> SenseTagged | None:
    answer, context = instance.find("answer"), instance.find("context")
    sense = None if answer is None else answer.get("senseid")
    if sense is None or context is None:
        return None
    words = list(context.iter("wf"))
    heads = {id(word) for head in context.iter("head") for word in head.iter("wf")}
    positions = [index for index, word in enumerate(words) if id(word) in heads]
    if not positions:
        return None
    tokens = [(word.text or "").strip() for word in words]
    tokens = [_QUOTES.get(token, token) for token in tokens]
    return SenseTagged(tokens, positions[0], sense)
