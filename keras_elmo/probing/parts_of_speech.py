"""The part of speech of a word, by a linear classifier on its vector."""

import os
from typing import NamedTuple

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.classifiers import fit_and_score, linear_classifier
from keras_elmo.probing.vectors import embed_tokens

_FORM, _TAG = 1, 4  # columns of CoNLL-U: the word, and its Penn Treebank tag


class TaggedSentence(NamedTuple):
    """The words of a sentence and their tags."""

    tokens: list[str]
    tags: list[str]


def read_tags(path: str | os.PathLike) -> list[TaggedSentence]:
    """Reads the words and the tags of the language (column XPOS) of a CoNLL-U file.

    Raises:
        ValueError: if the file has no tagged words.
    """
    sentences, rows = [], []
    with open(path, encoding="utf-8") as file:
        for line in [*file, ""]:
            columns = line.rstrip("\n").split("\t")
            if len(columns) == 10 and columns[0].isdigit():
                rows.append((columns[_FORM].replace(" ", ""), columns[_TAG]))
            elif not line.strip() and rows:
                tokens, tags = zip(*rows, strict=True)
                sentences.append(TaggedSentence(list(tokens), list(tags)))
                rows = []
    if not sentences:
        raise ValueError(
            "Parts of speech should be tagged in CoNLL-U, ten columns a word. "
            f"Received: {os.fspath(path)!r}, which has none. Pass a .conllu file."
        )
    return sentences


def probe_parts_of_speech(
    elmo: ElmoEmbedding,
    train: str | os.PathLike,
    test: str | os.PathLike,
    max_sentences: int = 3000,
) -> dict[str, dict[str, float]]:
    """Accuracy of each layer on the words of `test`.

    Args:
        elmo: The embedding.
        train: File to train the classifiers on, see `read_tags`.
        test: File to score them on.
        max_sentences: How many sentences of `train` to use, from its beginning.
            Defaults to 3000.

    Returns:
        For each layer, the accuracy of a `"linear"` classifier. `"majority"` is that of
        the most frequent tag of each word in `train`; for words that `train` lacks, of
        the most frequent tag of all.
    """
    splits = read_tags(train)[:max_sentences], read_tags(test)
    train_tags, test_tags = (
        np.array([tag for sentence in split for tag in sentence.tags])
        for split in splits
    )
    train_layers, test_layers = (
        embed_tokens(elmo, [sentence.tokens for sentence in split]) for split in splits
    )
    scores = {"majority": {"linear": _majority_accuracy(*splits)}}
    for layer in train_layers:
        accuracy = fit_and_score(
            linear_classifier(),
            (np.concatenate(train_layers[layer]), train_tags),
            (np.concatenate(test_layers[layer]), test_tags),
        )
        scores[layer] = {"linear": accuracy}
    return scores


def _majority_accuracy(
    train: list[TaggedSentence], test: list[TaggedSentence]
) -> float:
    counts: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for sentence in train:
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
            tags = counts.setdefault(token, {})
            tags[tag] = tags.get(tag, 0) + 1
            totals[tag] = totals.get(tag, 0) + 1
    right = []
    for sentence in test:
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
            candidates = counts.get(token, totals)
            right.append(max(candidates, key=candidates.__getitem__) == tag)
    return float(np.mean(right))
