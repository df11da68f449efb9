import hypothesis.strategies as st
import keras
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from keras_elmo.examples.imdb.batches import Batches, text_batches
from keras_elmo.examples.imdb.reviews import Reviews

NUMBERS = tf.TensorSpec((None,), tf.int64)


def reviews_of(lengths):
    texts = [" ".join(["word"] * length) for length in lengths]
    return Reviews(texts, texts, np.arange(len(lengths), dtype="float32"))


def numbers_of(lengths, batch_size):
    return Batches(reviews_of(lengths), lambda n: n, NUMBERS, batch_size)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 7))
def test_each_review_comes_once_an_epoch(lengths, batch_size):
    batches = numbers_of(lengths, batch_size)
    for dataset in (batches.in_order(), batches.shuffled(1, epoch=0)):
        seen = list(dataset.as_numpy_iterator())
        assert len(seen) == len(batches)
        assert all(len(numbers) <= batch_size for numbers, _ in seen)
        for numbers, labels in seen:
            np.testing.assert_array_equal(numbers, labels)
        order = np.concatenate([numbers for numbers, _ in seen])
        assert sorted(order) == list(range(len(lengths)))
    in_order = list(batches.in_order().as_numpy_iterator())
    order = np.concatenate([numbers for numbers, _ in in_order])
    np.testing.assert_array_equal(order, batches.order())
    assert (np.diff(np.array(lengths)[order]) >= 0).all()


def test_reviews_of_a_batch_are_about_as_long():
    lengths = np.random.default_rng(1).permutation(np.repeat(np.arange(1, 11), 8))
    for numbers, _ in numbers_of(lengths, 8).shuffled(1, 0).as_numpy_iterator():
        assert len(set(lengths[numbers])) == 1


def test_seed_decides_the_order_of_each_epoch():
    def order(seed, epoch):
        dataset = numbers_of([3] * 20, 4).shuffled(seed, epoch)
        return tuple(np.concatenate([n for n, _ in dataset.as_numpy_iterator()]))

    assert order(1, 0) == order(1, 0)
    assert len({order(1, 0), order(1, 1), order(2, 0), order(2, 1)}) == 4


def test_text_batches_are_strings():
    batches = text_batches(reviews_of([1, 2]), ["one", "two wörds"], 2)
    ((texts, labels),) = batches.in_order().as_numpy_iterator()
    assert texts.tolist() == [b"one", "two wörds".encode()]
    assert labels.tolist() == [0.0, 1.0]


def test_keras_takes_batches_of_any_length():
    """Where the first ones have one length too."""
    lengths = [3, 3, 3, 3, 5, 5]
    signature = tf.TensorSpec((None, None), tf.float32)

    def load(numbers):
        return np.ones((len(numbers), lengths[numbers[0]]), "float32")

    batches = Batches(reviews_of(lengths), load, signature, 2)
    inputs = keras.Input((None,))
    model = keras.Model(inputs, keras.ops.sum(inputs, axis=1, keepdims=True))
    sums = model.predict(batches.in_order(), verbose=0)
    assert sums[:, 0].tolist() == [3, 3, 3, 3, 5, 5]


def test_no_thread_tunes_what_has_nothing_to_tune():
    """An epoch that is over would wait for it, now and then, for up to a minute."""
    batches = numbers_of([3] * 20, 4)
    for dataset in (batches.in_order(), batches.shuffled(1, epoch=0)):
        assert dataset.options().autotune.enabled is False
