"""Whether a word means the same in two sentences, by the cosine of its vectors."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.probing.vectors import embed_words


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
        train: Folder of the pairs to choose the threshold by, see `read_pairs`.
        test: Folder of the pairs to score it on.

    Returns:
        For each layer, the accuracy of a `"threshold"` of the cosine. `"majority"` is
        that of the more frequent answer.
    """
    splits = read_pairs(train), read_pairs(test)
    train_same, test_same = (np.array([pair.same for pair in s]) for s in splits)
    train_layers, test_layers = (_cosines(elmo, split) for split in splits)
    majority = np.mean(test_same == (train_same.mean() >= 0.5))
    scores = {"majority": {"threshold": float(majority)}}
    for layer, cosines in train_layers.items():
        # No other threshold than the cosine of a pair can score higher.
        candidates = np.unique(cosines)
        accuracies = [np.mean((cosines >= c) == train_same) for c in candidates]
        threshold = candidates[np.argmax(accuracies)]
        accuracy = np.mean((test_layers[layer] >= threshold) == test_same)
        scores[layer] = {"threshold": float(accuracy)}
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


def _cosines(elmo: ElmoEmbedding, pairs: list[WordPair]) -> dict[str, np.ndarray]:
    """For each layer, the cosine of the two vectors of each pair."""
    first, second = (
        embed_words(
            elmo,
            [pair.sentences[side] for pair in pairs],
            [pair.positions[side] for pair in pairs],
        )
        for side in (0, 1)
    )
    return {
        layer: np.sum(first[layer] * second[layer], axis=1)
        / np.linalg.norm(first[layer], axis=1)
        / np.linalg.norm(second[layer], axis=1)
        for layer in first
    }
