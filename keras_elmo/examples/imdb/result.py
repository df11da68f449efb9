import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_elmo.examples.imdb.reviews import Reviews


@dataclasses.dataclass(frozen=True)
class Result:
    """What a classifier, or a baseline, says of the test reviews.

    Args:
        method: What the report calls it.
        probabilities: Of `pos`, for each test review, `(n,)`.
        seconds: How long it took to train, without vectors that were there.
        history: What Keras recorded in training, if it was Keras.
        mix: The weights of the layers in the mix before the softmax, if it has one.
        seed: The seed, if the method is trained from each of several; None for others.
    """

    method: str
    probabilities: np.ndarray
    seconds: float
    history: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)
    mix: Sequence[float] = ()
    seed: int | None = None

    @property
    def name(self) -> str:
        """The method, with its seed if there is one."""
        return self.method if self.seed is None else f"{self.method}, seed {self.seed}"

    @property
    def validation(self) -> float:
        """The validation accuracy of the best epoch, of what has a history."""
        return max(self.history["val_accuracy"])

    def accuracy(self, test: Reviews) -> float:
        """The share of reviews on whose side of one half the probability is."""
        return float(np.mean((self.probabilities > 0.5) == (test.labels > 0.5)))
