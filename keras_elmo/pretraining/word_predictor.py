import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.pretraining.contexts import DIRECTIONS, ContextReader
from keras_elmo.pretraining.sampled_softmax import SampledSoftmax
from keras_elmo.pretraining.vocabulary import SPECIAL_WORDS, UNKNOWN_WORD, Vocabulary
from keras_elmo.text.sentences import tokens_of
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

# More positions at once are hardly faster, and take more memory.
_WINDOW = 4096


class WordPredictor:
    """Which words a `LanguageModel` expects."""

    contexts: ContextReader
    softmax: SampledSoftmax
    tokenizer: str
    vocabulary: Vocabulary

    def next_words(self, prefix: Any, n: int = 10) -> list[tuple[str, float]]:
        """The most probable words after the beginning of a sentence.

        Args:
            prefix: String, split by `tokenizer`, or list of tokens; `""` asks for the
                first word.
            n: How many words. Defaults to 10.

        Returns:
            The `n` most probable words, or all of them if there are fewer, each with
            its natural log-probability, as `score` gives it forward. `</S>` may be
            among them, which ends the sentence; `<S>` and `<UNK>` are left out.

        Raises:
            ValueError: if an argument is not as described.

        Example:

        >>> from keras_elmo.pretraining import LanguageModel
        >>> model = LanguageModel.from_preset("tiny_en")
        >>> [word for word, _ in model.next_words("He sat by the", n=3)]
        ['fire', 'table', 'window']
        """
        check_positive_integer("n", n)
        tokens = tokens_of("prefix", prefix, self.tokenizer)
        row = [BEGIN_WORD.encode(), *tokens, END_WORD.encode()]
        scores = tf.nn.log_softmax(self._logits(row, "forward"))
        unwanted = [SPECIAL_WORDS.index(word) for word in (BEGIN_WORD, UNKNOWN_WORD)]
        candidates = np.delete(np.arange(len(self.vocabulary)), unwanted)
        return self._best(tf.gather(scores, candidates), candidates, n)

    def substitutes(
        self, sentence: Any, position: int, n: int = 10, direction: str = "both"
    ) -> list[tuple[str, float]]:
        """The most probable words at a place of a sentence, from all of the others.

        The word that is there is not read. The two directions are combined by Bayes'
        rule, as if what is before a word and what is after it were independent given
        the word: `p(word | before, after)` is proportional to `p(word | before) *
        p(word | after) / p(word)`. Without the division, frequent words would count
        twice. `p(word)` is by Zipf's law of its rank in the vocabulary, which is in
        order of frequency.

        Args:
            sentence: String, split by `tokenizer`, or list of tokens.
            position: Number of the word, counted from 0.
            n: How many words. Defaults to 10.
            direction: `"both"` (default), or `"forward"` or `"backward"`, from what is
                before the word or after it alone.

        Returns:
            The `n` most probable words, or all of them if there are fewer, each with
            its natural log-probability, of all words of the vocabulary but `<S>`,
            `</S>` and `<UNK>`. The word that is there may be among them.

        Raises:
            ValueError: if an argument is not as described.

        Example:

        >>> from keras_elmo.pretraining import LanguageModel
        >>> model = LanguageModel.from_preset("tiny_en")
        >>> words = model.substitutes("It was a cold and rainy day .", 3, n=3)
        >>> [word for word, _ in words]
        ['long', 'warm', 'bright']
        """
        check_positive_integer("n", n)
        check_choice("direction", direction, ("both", *DIRECTIONS))
        tokens = tokens_of("sentence", sentence, self.tokenizer)
        position = _check_position(position, tokens)
        scores = []
        if direction != "backward":
            row = [BEGIN_WORD.encode(), *tokens[: position + 1]]
            scores.append(self._logits(row, "forward"))
        if direction != "forward":
            row = [*tokens[position:], END_WORD.encode()]
            scores.append(self._logits(row, "backward"))
        if direction == "both":
            scores.append(-tf.math.log(self.softmax.frequencies()))
        candidates = np.arange(len(SPECIAL_WORDS), len(self.vocabulary))
        scores_of_words = tf.nn.log_softmax(tf.gather(tf.add_n(scores), candidates))
        return self._best(scores_of_words, candidates, n)

    def _logits(self, row: Sequence[bytes], direction: str) -> tf.Tensor:
        """Logits `(vocabulary_size,)` of the token that a direction predicts last."""
        last = slice(-1, None) if direction == "forward" else slice(1)
        for context in self.contexts.read([row], direction, _WINDOW):
            # The window that is read last has the token, and its output stays.
            output = context.outputs[last]
        return self.softmax.logits(output)[0]

    def _best(
        self, scores: tf.Tensor, ids: np.ndarray, n: int
    ) -> list[tuple[str, float]]:
        """The words with the highest of `scores`, which are of the words `ids`."""
        values, places = tf.math.top_k(scores, min(n, len(ids)))
        words = [self.vocabulary.words[index] for index in ids[places.numpy()]]
        return list(zip(words, values.numpy().tolist(), strict=True))


def _check_position(position: Any, tokens: Sequence[bytes]) -> int:
    """The number of one of these tokens, as an `int`."""
    try:
        number = -1 if isinstance(position, bool) else operator.index(position)
    except TypeError:
        number = -1
    if not 0 <= number < len(tokens):
        raise ValueError(
            "`position` should be the number of a word of the sentence, counted from "
            f"0. Received: position={position!r}, for a sentence of {len(tokens)} words"
        )
    return number
