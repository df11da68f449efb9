import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from keras_elmo.examples.imdb.batches import Batches, text_batches
from keras_elmo.examples.imdb.reviews import Reviews


def reviews_of(lengths):
    texts = [" ".join(["word"] * length) for length in lengths]
    return Reviews(texts, texts, np.arange(len(lengths), dtype="float32"))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=40),
    st.integers(1, 7),
    st.sampled_from([None, 1]),
)
def test_each_review_comes_once_an_epoch(lengths, batch_size, seed):
    batches = Batches(reviews_of(lengths), list, batch_size, seed)
    for _ in range(2):
        seen = [batches[index] for index in range(len(batches))]
        assert all(len(numbers) <= batch_size for numbers, _ in seen)
        labels = np.concatenate([labels for _, labels in seen])
        np.testing.assert_array_equal(labels, batches.numbers)
        assert sorted(labels) == list(range(len(lengths)))
        batches.on_epoch_end()


def test_reviews_of_a_batch_are_about_as_long():
    lengths = np.random.default_rng(1).permutation(np.repeat(np.arange(1, 11), 8))
    for seed in (None, 1):
        batches = Batches(reviews_of(lengths), list, 8, seed)
        for index in range(len(batches)):
            assert len(set(lengths[batches[index][0]])) == 1


def test_seed_decides_the_order_of_each_epoch():
    def orders(seed):
        batches = text_batches(reviews_of([3] * 20), [""] * 20, 4, seed)
        first = batches.numbers.tolist()
        batches.on_epoch_end()
        return first, batches.numbers.tolist()

    assert orders(1) == orders(1)
    assert len({tuple(order) for order in (*orders(1), *orders(2))}) == 4
    assert orders(None) == (list(range(20)), list(range(20)))


def test_text_batches_are_strings():
    texts, labels = text_batches(reviews_of([1, 2]), ["one", "two words"], 2)[0]
    assert texts.numpy().tolist() == [b"one", b"two words"]
    assert labels.tolist() == [0.0, 1.0]
