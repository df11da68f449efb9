from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer
from keras_elmo.files.progress import progress_bar
from keras_elmo.pretraining.contexts import DIRECTIONS, ContextReader
from keras_elmo.pretraining.sampled_softmax import SampledSoftmax
from keras_elmo.pretraining.sentence_score import SentenceScore
from keras_elmo.pretraining.vocabulary import UNKNOWN_ID, Vocabulary
from keras_elmo.text.batches import batches, windows
from keras_elmo.text.sentences import as_text, check_sentences, token_lists
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD


class SentenceScorer:
    """How probable a `LanguageModel` finds sentences."""

    contexts: ContextReader
    softmax: SampledSoftmax
    tokenizer: str
    vocabulary: Vocabulary

    def score(
        self, sentences: Iterable[Any], progress: bool = True, max_tokens: int = 4096
    ) -> list[SentenceScore]:
        """The log-probabilities of the words of any number of sentences.

        Each sentence stands for itself between `<S>` and `</S>`, and starts from a
        state of zeros: its scores do not depend on the others. Memory does not grow
        with the number of sentences, beyond their scores, nor with the vocabulary.

        The perplexity of all of them,
        `exp(-sum(forward_total + backward_total) / sum(2 * (len(tokens) + 1)))`, is
        what `evaluate` gives but for the state, which `evaluate` carries from a
        sentence to the next, and for empty sentences, which it leaves out.

        Args:
            sentences: Strings, split by `tokenizer`, or lists of tokens: a list, a
                generator, an array, a pandas Series. The boundaries are added here.
            progress: Whether to show a progress bar, where there is a terminal.
                Defaults to True.
            max_tokens: Positions to read at once, which bounds memory. Defaults to
                4096, as for `ElmoEmbedding.encode`.

        Returns:
            One `SentenceScore` a sentence, in the order given. That of a sentence
            without words tells how probable `</S>` is after `<S>`.

        Raises:
            ValueError: if `sentences` is one string, or not of strings or lists of
                strings; or `max_tokens` is no positive integer.

        Example:

        >>> from keras_elmo.pretraining import LanguageModel
        >>> model = LanguageModel.from_preset("tiny_en")
        >>> one, other = model.score(["He sat by the fire .", "fire He . by sat the"])
        >>> round(one.perplexity), round(other.perplexity)
        (11, 8881)
        >>> next(model.score_stream(["He sat by the fire ."])).forward.shape
        (6,)
        """
        total = len(sentences) if isinstance(sentences, Sized) else None
        stream = self.score_stream(sentences, max_tokens)
        with progress_bar("sentences", is_wanted=progress) as bar:
            return list(bar.track(stream, total=total))

    def score_stream(
        self, sentences: Iterable[Any], max_tokens: int = 4096
    ) -> Iterator[SentenceScore]:
        """As `score`, but reads sentences as needed, and yields their scores.

        Sentences are read some thousands of tokens ahead.

        Args:
            sentences: See `score`; so is `max_tokens`.

        Returns:
            Iterator over the `SentenceScore`s.

        Raises:
            ValueError: see `score`.
        """
        check_positive_integer("max_tokens", max_tokens)
        check_sentences(sentences)
        return self._score_all(sentences, max_tokens)

    def _score_all(
        self, sentences: Iterable[Any], max_tokens: int
    ) -> Iterator[SentenceScore]:
        begin, end = [BEGIN_WORD.encode()], [END_WORD.encode()]
        rows = (begin + row + end for row in token_lists(sentences, self.tokenizer))
        for window in windows(rows, max_tokens):
            scores: dict[int, SentenceScore] = {}
            for batch in batches([len(row) for row in window], max_tokens):
                rows_of_batch = [window[index] for index in batch]
                scored = self._score_batch(rows_of_batch, max_tokens)
                scores.update(zip(batch, scored, strict=True))
            yield from (scores[index] for index in range(len(window)))

    def _score_batch(
        self, rows: Sequence[Sequence[bytes]], max_tokens: int
    ) -> Iterator[SentenceScore]:
        tokens = tf.ragged.constant(rows, row_splits_dtype="int32")
        ids = self.vocabulary.to_ids(tokens.to_tensor()).numpy()
        scores = np.zeros((len(DIRECTIONS), *ids.shape), "float32")
        for number, direction in enumerate(DIRECTIONS):
            for context in self.contexts.read(rows, direction, max_tokens):
                places = context.rows, context.places
                targets = ids[places]
                losses = [
                    self.softmax(context.outputs[part], targets[part])
                    for part in self.softmax.blocks(len(targets))
                ]
                scores[(number, *places)] = -np.concatenate(losses)
        for row, row_ids, forward, backward in zip(rows, ids, *scores, strict=True):
            end = len(row) - 1
            # Arrays are copied, so that who keeps one score does not keep its batch.
            yield SentenceScore(
                tokens=tuple(map(as_text, row[1:end])),
                is_unknown=row_ids[1:end] == UNKNOWN_ID,
                forward=forward[1:end].copy(),
                backward=backward[1:end].copy(),
                forward_end=float(forward[end]),
                backward_end=float(backward[0]),
            )
