"""Which sense does a word have? By the nearest vector, and by a linear classifier."""

import os
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.classifiers import cross_validate, linear_classifier
from keras_elmo.probing.vectors import embed_words

# Penn Treebank's quotation marks, which text seldom has.
_QUOTES = {"``": '"', "''": '"'}


class SenseTagged(NamedTuple):
    """A sentence, and the sense of one word of it."""

    tokens: list[str]
    position: int
    sense: str


def read_senses(path: str | os.PathLike) -> list[SenseTagged]:
    """Reads a file of Senseval's lexical samples, such as `interest.pos`.

    Raises:
        ValueError: if it is no such file.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(
            "Senses should be tagged in Senseval's XML. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error})"
        ) from error
    examples = [
        example
        for instance in root.iter("instance")
        if (example := _read_instance(instance)) is not None
    ]
    if not examples:
        raise ValueError(
            "Senses should be tagged in Senseval's XML: instances with an answer, a "
            f"context and a head. Received: {os.fspath(path)!r}, which has none"
        )
    return examples


def probe_senses(
    elmo: ElmoEmbedding, path: str | os.PathLike, folds: int = 5, seed: int = 1
) -> dict[str, dict[str, float]]:
    """Accuracy of each layer, by k-fold cross-validation.

    Args:
        elmo: The embedding.
        path: See `read_senses`.
        folds: Number of folds, which have the same share of each sense.
        seed: Seed of the folds.

    Returns:
        By layer, `"nearest"`: the sense of the training example with the highest
        cosine; and `"linear"`: a logistic regression. Under `"majority"`, the most
        frequent sense.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.neighbors import KNeighborsClassifier

    examples = read_senses(path)
    senses = np.array([example.sense for example in examples])

    def accuracy(classifier, vectors):
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


def _read_instance(instance):
    answer, context = instance.find("answer"), instance.find("context")
    if answer is None or context is None:
        return None
    words = list(context.iter("wf"))
    heads = {id(word) for head in context.iter("head") for word in head.iter("wf")}
    positions = [index for index, word in enumerate(words) if id(word) in heads]
    if not positions:
        return None
    tokens = [(word.text or "").strip() for word in words]
    tokens = [_QUOTES.get(token, token) for token in tokens]
    return SenseTagged(tokens, positions[0], answer.get("senseid"))
