"""Whether a word means the same in two sentences, by the cosines of its vectors."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.classifiers import fit_and_score, tuned_classifier
from keras_elmo.probing.word_views import cosines, embed_views

_FOLDS = 5  # of the cross-validation


class WordPair(NamedTuple):
    """A word in two sentences, and whether it means the same."""

    sentences: tuple[list[str], list[str]]
    positions: tuple[int, int]
    same: bool


def read_pairs(folder: str | os.PathLike) -> list[WordPair]:
    """Reads a split of WiC: `NAME.data.txt` and `NAME.gold.txt` in folder `NAME`.

    Raises:
        ValueError: if the files are not as described.
    """
    name = Path(folder).name
    texts = (
        (Path(folder) / f"{name}.{kind}.txt").read_text(encoding="utf-8")
        for kind in ("data", "gold")
    )
    # `splitlines` would split at other characters than line feeds, too.
    rows, answers = (text.rstrip("\n").split("\n") for text in texts)
    try:
        return [
            _read_pair(row.split("\t"), answer)
            for row, answer in zip(rows, answers, strict=True)
        ]
    except ValueError as error:
        raise ValueError(
            "WiC should have rows of word, part of speech, positions and two "
            f"sentences, and as many answers. Received: {os.fspath(folder)!r}, which "
            f"could not be read ({error}). Pass a folder of WiC, such as `train`."
        ) from error


def probe_words_in_context(
    elmo: ElmoEmbedding, train: str | os.PathLike, test: str | os.PathLike
) -> dict[str, dict[str, float]]:
    """Accuracy of each layer on the pairs of `test`.

    Args:
        elmo: The embedding.
        train: Folder of the pairs to choose by, see `read_pairs`.
        test: Folder of the pairs to score on.

    Returns:
        For each layer, the accuracy of a `"threshold"` of the cosine of the word's two
        vectors, and of a `"linear"` classifier, which is told whether the word is
        written the same, and the cosines of all views of it, see `embed_views`: as they
        are, and without their mean. `"same form"` is told the former alone, and
        `"all layers"` the latter of all of them. `"majority"` is the accuracy of the
        more frequent answer.

    Raises:
        ValueError: if the files are not as described, or `train` has too few
            pairs of an answer.
    """
    splits = read_pairs(train), read_pairs(test)
    answers = [np.array([pair.same for pair in split]) for split in splits]
    if min(np.sum(answers[0]), np.sum(~answers[0])) < _FOLDS:
        raise ValueError(
            f"`train` should hold {_FOLDS} pairs of either answer, at least. Received: "
            f"{os.fspath(train)!r} with fewer. Give all of the split"
        )
    majority = float(np.mean(answers[1] == (answers[0].mean() >= 0.5)))
    scores = {"majority": {"threshold": majority, "linear": majority}}
    facts = _facts(elmo, *splits)
    layers = [name for name in facts[0] if name != "same form"]
    told = {layer: ["same form", layer] for layer in layers}
    told = {"same form": ["same form"], **told, "all layers": ["same form", *layers]}
    for name, parts in told.items():
        features = [np.hstack([split[part] for part in parts]) for split in facts]
        data = zip(features, answers, strict=True)
        scores[name] = {"linear": fit_and_score(tuned_classifier(_FOLDS), *data)}
    for layer in layers:
        words = [split[layer][:, 0] for split in facts]
        scores[layer]["threshold"] = _threshold_accuracy(words, answers)
    return scores


def _read_pair(columns: list[str], answer: str) -> WordPair:
    _, _, positions, first, second = columns
    first_position, second_position = map(int, positions.split("-"))
    sentences = first.split(" "), second.split(" ")
    if first_position >= len(sentences[0]) or second_position >= len(sentences[1]):
        raise ValueError(f"positions {positions} are not in {sentences}")
    if answer not in ("T", "F"):
        raise ValueError(f"answer {answer!r} is neither T nor F")
    return WordPair(sentences, (first_position, second_position), answer == "T")


def _facts(
    elmo: ElmoEmbedding, train: list[WordPair], test: list[WordPair]
) -> list[dict[str, np.ndarray]]:
    """For both, what is known of each pair: `(pairs, features)` by name.

    `"same form"` is one feature. For each layer there are the cosines of its views, of
    which the word's own is the first.
    """
    views = [_embed(elmo, split) for split in (train, test)]
    facts = []
    for split, by_layer in zip((train, test), views, strict=True):
        known = {"same form": np.array([[_is_same_form(pair)] for pair in split])}
        for layer, by_name in by_layer.items():
            columns = [
                cosines(pairs[:, 0], pairs[:, 1], center)
                for name, pairs in by_name.items()
                for center in (0, views[0][layer][name].mean(axis=(0, 1)))
            ]
            known[layer] = np.column_stack(columns)
        facts.append(known)
    return facts


def _is_same_form(pair: WordPair) -> bool:
    first, second = (
        tokens[position].lower()
        for tokens, position in zip(pair.sentences, pair.positions, strict=True)
    )
    return first == second


def _embed(
    elmo: ElmoEmbedding, pairs: list[WordPair]
) -> dict[str, dict[str, np.ndarray]]:
    """Views of each pair by layer and name, `(pairs, 2, width)`."""
    views = embed_views(
        elmo,
        [tokens for pair in pairs for tokens in pair.sentences],
        [position for pair in pairs for position in pair.positions],
    )
    return {
        layer: {name: np.stack([x[::2], x[1::2]], 1) for name, x in by_name.items()}
        for layer, by_name in views.items()
    }


def _threshold_accuracy(words: list[np.ndarray], answers: list[np.ndarray]) -> float:
    """Accuracy on the second of the threshold that is best on the first."""
    # No other threshold than the cosine of a pair can score higher.
    candidates = np.unique(words[0])
    accuracies = [np.mean((words[0] >= c) == answers[0]) for c in candidates]
    threshold = candidates[np.argmax(accuracies)]
    return float(np.mean((words[1] >= threshold) == answers[1]))
