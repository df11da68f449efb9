import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceScore:
    """How probable a language model finds a sentence: natural logarithms.

    Forward, a word is predicted from all that is before it; backward, from all that is
    after it. Each direction also predicts the boundary that it ends with, as in
    training and in `evaluate`: `n` words make `n + 1` predictions in each.

    Attributes:
        tokens: The `n` words. Bytes that are no UTF-8 are `\\x..`.
        is_unknown: Boolean `(n,)`, whether a word is none of the vocabulary. The model
            reads it by its characters, but the probability is that of `<UNK>`, of any
            such word: it is no measure of this one.
        forward: float32 `(n,)`, the log-probability of each word.
        backward: float32 `(n,)`.
        forward_end: That of `</S>` after the last word.
        backward_end: That of `<S>` before the first word.

    Example:

    >>> score = SentenceScore(
    ...     ("a", "cat"),
    ...     is_unknown=np.array([False, False]),
    ...     forward=np.array([-2.0, -4.0]),
    ...     backward=np.array([-1.0, -3.0]),
    ...     forward_end=-1.0,
    ...     backward_end=-1.0,
    ... )
    >>> score.forward_total, score.backward_total, score.mean
    (-7.0, -5.0, -2.0)
    >>> score.both.tolist()
    [-1.5, -3.5]
    """

    tokens: tuple[str, ...]
    is_unknown: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    forward_end: float
    backward_end: float

    @property
    def both(self) -> np.ndarray:
        """`(n,)`, for each word the mean of its two log-probabilities."""
        return (self.forward + self.backward) / 2

    @property
    def forward_total(self) -> float:
        """The log-probability of the sentence as the forward model reads it."""
        return float(self.forward.sum(dtype="float64")) + self.forward_end

    @property
    def backward_total(self) -> float:
        """The log-probability of the sentence as the backward model reads it."""
        return float(self.backward.sum(dtype="float64")) + self.backward_end

    @property
    def mean(self) -> float:
        """The mean of all `2 * (n + 1)` log-probabilities, boundaries included."""
        predictions = 2 * (len(self.tokens) + 1)
        return (self.forward_total + self.backward_total) / predictions

    @property
    def perplexity(self) -> float:
        """`exp(-mean)`, which is infinite where it exceeds a float."""
        with np.errstate(over="ignore"):
            return float(np.exp(-self.mean))
