"""The words that a language model expects at every place of a sentence."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.pretraining.contexts import DIRECTIONS
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.text.batches import batches
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

_MAX_TOKENS = 4096  # positions to read at once
_DELIMITERS = 2  # the first words of every vocabulary: `<S>` and `</S>`


def find_substitutes(
    model: LanguageModel, rows: Sequence[list[bytes]], topn: int, nodelimiters: bool
) -> list[list[dict[str, Any]]]:
    """What each direction expects in the place of each token.

    Args:
        model: The language model.
        rows: The tokens of each sentence, without its boundaries.
        topn: How many words.
        nodelimiters: Whether to leave `<S>` and `</S>` out.

    Returns:
        See `ElmoModel.get_elmo_substitutes`.
    """
    bounded = [[BEGIN_WORD.encode(), *row, END_WORD.encode()] for row in rows]
    found: list[list[dict[str, Any]]] = [
        [{"word": word} for word in _words(model, model.vocabulary.to_ids(row))]
        for row in (tf.constant(row, tf.string) for row in rows)
    ]
    first = _DELIMITERS if nodelimiters else 0
    for batch in batches([len(row) for row in bounded], _MAX_TOKENS):
        rows_of_batch = [bounded[index] for index in batch]
        for direction in DIRECTIONS:
            predicted = _predicted(model, rows_of_batch, direction, first, topn)
            for row, place, expected in predicted:
                # The boundaries are predicted too, at the two ends of a row.
                if 0 < place <= len(rows[batch[row]]):
                    found[batch[row]][place - 1][direction] = expected
    return found


def _predicted(
    model: LanguageModel,
    rows: Sequence[list[bytes]],
    direction: str,
    first: int,
    topn: int,
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """For a place of a row, the most probable words from the number `first` on."""
    count = min(topn, len(model.vocabulary) - first)
    for context in model.contexts.read(rows, direction, _MAX_TOKENS):
        for part in model.softmax.blocks(len(context.places)):
            logits = model.softmax.logits(context.outputs[part])
            scores = tf.nn.log_softmax(logits)[:, first:]
            values, numbers = (x.numpy() for x in tf.math.top_k(scores, count))
            places = zip(context.rows[part], context.places[part], strict=True)
            for (row, place), logp, ids in zip(
                places, values, numbers + first, strict=True
            ):
                yield (
                    int(row),
                    int(place),
                    {
                        "candidates": ids.tolist(),
                        "candidate_words": _words(model, ids),
                        "logp": np.round(logp.astype("float64"), 4).tolist(),
                    },
                )


def _words(model: LanguageModel, ids: Any) -> list[str]:
    return [model.vocabulary.words[number] for number in np.asarray(ids)]
