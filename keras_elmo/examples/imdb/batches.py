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
    """

    def __init__(
        self,
        reviews: Reviews,
        load: Callable[[np.ndarray], Any],
        signature: Any,
        batch_size: int,
    ):
        self._lengths = np.array([tokens.count(" ") for tokens in reviews.tokens])
        self._labels = reviews.labels
        self._load = load
        self._signature = signature
        self._batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_size)

    def shuffled(self, seed: int, epoch: int) -> tf.data.Dataset:
        """The batches of an epoch of training, in an order of its own."""
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(self._lengths))
        window = self._batch_size * _WINDOW
        batches = []
        for start in range(0, len(order), window):
            batches += self._by_length(order[start : start + window])
        return self._dataset([batches[i] for i in rng.permutation(len(batches))])

    def in_order(self) -> tf.data.Dataset:
        """The batches from the shortest reviews to the longest, as in `order`."""
        return self._dataset(self._by_length(np.arange(len(self._lengths))))

    def order(self) -> np.ndarray:
        """The number of each review, from the shortest to the longest."""
        return np.argsort(self._lengths, kind="stable")

    def _dataset(self, numbers_of_batches: list[np.ndarray]) -> tf.data.Dataset:
        """Pairs of inputs and labels.

        It is no `keras.utils.PyDataset`: Keras takes the sizes of its first two batches
        for those of all, where they agree.
        """

        def batches() -> Iterator[tuple[Any, np.ndarray]]:
            for numbers in numbers_of_batches:
                yield self._load(numbers), self._labels[numbers]

        labels = tf.TensorSpec((None,), tf.float32)
        dataset = tf.data.Dataset.from_generator(
            batches, output_signature=(self._signature, labels)
        )
        known = tf.data.experimental.assert_cardinality(len(self))
        # Otherwise an epoch that has ended may wait for up to a minute, until the
        # thread that tunes the pipeline wakes up; there is nothing to tune here.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.apply(known).prefetch(2).with_options(options)

    def _by_length(self, numbers: np.ndarray) -> list[np.ndarray]:
        numbers = numbers[np.argsort(self._lengths[numbers], kind="stable")]
        size = self._batch_size
        return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def text_batches(reviews: Reviews, texts: Sequence[str], batch_size: int) -> Batches:
    """Batches of strings: the texts of the reviews, or their tokens."""
    array = np.array([text.encode() for text in texts], dtype=object)
    signature = tf.TensorSpec((None,), tf.string)
    return Batches(reviews, array.__getitem__, signature, batch_size)
