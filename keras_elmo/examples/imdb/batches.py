from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.examples.imdb.reviews import Reviews

# Batches of training are of reviews that are about as long, out of so many batches.
_WINDOW = 50


class Batches(keras.utils.PyDataset):
    """Batches of reviews that are about as long, so that little of them is padding.

    Args:
        reviews: The reviews.
        load: Function of the numbers of some reviews to the inputs of a model.
        batch_size: Reviews of a batch.
        seed: Seed of the order, which is another in each epoch. Defaults to None: from
            the shortest to the longest.

    Attributes:
        numbers: The number of each review in the order of the batches.
    """

    def __init__(
        self,
        reviews: Reviews,
        load: Callable[[np.ndarray], Any],
        batch_size: int,
        seed: int | None = None,
    ):
        super().__init__()
        self._lengths = np.array([tokens.count(" ") for tokens in reviews.tokens])
        self._load = load
        self._labels = reviews.labels
        self._batch_size = batch_size
        self._rng = None if seed is None else np.random.default_rng(seed)
        self._batches: list[np.ndarray] = []
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        numbers = self._batches[index]
        return self._load(numbers), self._labels[numbers]

    @property
    def numbers(self) -> np.ndarray:
        return np.concatenate(self._batches)

    def on_epoch_end(self) -> None:
        """Keras calls it after each epoch."""
        order = np.arange(len(self._lengths))
        size = self._batch_size
        if self._rng is None:
            window = len(order)
        else:
            order, window = self._rng.permutation(order), size * _WINDOW
        batches = []
        for start in range(0, len(order), window):
            part = order[start : start + window]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches += [part[i : i + size] for i in range(0, len(part), size)]
        if self._rng is not None:
            batches = [batches[i] for i in self._rng.permutation(len(batches))]
        self._batches = batches


def text_batches(
    reviews: Reviews, texts: Sequence[str], batch_size: int, seed: int | None = None
) -> Batches:
    """Batches of strings: the texts of the reviews, or their tokens."""
    array = np.array(texts, dtype=object)

    def load(numbers: np.ndarray) -> tf.Tensor:
        return tf.constant(array[numbers], tf.string)  # Keras takes no NumPy objects

    return Batches(reviews, load, batch_size, seed)
