from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.examples.imdb.reviews import Reviews

# Training sorts so many batches of reviews by length at a time: fewer would leave more
# padding, and more would leave less of the order to chance.
_WINDOW = 50


class Batches:
    """Batches of reviews that are about as long, so that little of them is padding.

    Args:
        reviews: The reviews.
        load: Function of the numbers of some reviews to the inputs of a model.
        signature: The `tf.TypeSpec`s of what it returns.
        batch_size: Reviews of a batch.
        seed: Seed of the order, which is another in each epoch. Defaults to None: from
            the shortest to the longest.
    """

    def __init__(
        self,
        reviews: Reviews,
        load: Callable[[np.ndarray], Any],
        signature: Any,
        batch_size: int,
        seed: int | None = None,
    ):
        self._lengths = np.array([tokens.count(" ") for tokens in reviews.tokens])
        self._labels = reviews.labels
        self._load = load
        self._signature = signature
        self._batch_size = batch_size
        self._seed = seed

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_size)

    def epoch(self, epoch: int = 0) -> tf.data.Dataset:
        """The batches of an epoch, pairs of inputs and labels.

        It is no `keras.utils.PyDataset`: Keras takes the sizes of its first two batches
        for those of all, where they agree.
        """

        def batches() -> Iterator[tuple[Any, np.ndarray]]:
            for numbers in self._numbers(epoch):
                yield self._load(numbers), self._labels[numbers]

        labels = tf.TensorSpec((None,), tf.float32)
        dataset = tf.data.Dataset.from_generator(
            batches, output_signature=(self._signature, labels)
        )
        known = tf.data.experimental.assert_cardinality(len(self))
        return dataset.apply(known).prefetch(2)

    def order(self, epoch: int = 0) -> np.ndarray:
        """The number of each review in the order of the batches."""
        return np.concatenate(self._numbers(epoch))

    def _numbers(self, epoch: int) -> list[np.ndarray]:
        size, order = self._batch_size, np.arange(len(self._lengths))
        if self._seed is None:
            return self._by_length(order)
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(order)
        batches = []
        for start in range(0, len(order), size * _WINDOW):
            batches += self._by_length(order[start : start + size * _WINDOW])
        return [batches[index] for index in rng.permutation(len(batches))]

    def _by_length(self, numbers: np.ndarray) -> list[np.ndarray]:
        numbers = numbers[np.argsort(self._lengths[numbers], kind="stable")]
        size = self._batch_size
        return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def text_batches(
    reviews: Reviews, texts: Sequence[str], batch_size: int, seed: int | None = None
) -> Batches:
    """Batches of strings: the texts of the reviews, or their tokens."""
    array = np.array([text.encode() for text in texts], dtype=object)
    signature = tf.TensorSpec((None,), tf.string)
    return Batches(reviews, array.__getitem__, signature, batch_size, seed)
