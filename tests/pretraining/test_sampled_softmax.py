import numpy as np
import tensorflow as tf

from keras_elmo.pretraining import SampledSoftmax


def make(vocabulary_size=30, num_samples=8, dim=4):
    rng = np.random.default_rng(0)
    softmax = SampledSoftmax(vocabulary_size, num_samples, seed=3)
    softmax.build((None, dim))
    softmax.set_weights(
        [
            rng.normal(size=(vocabulary_size, dim)),
            rng.normal(size=vocabulary_size),
        ]
    )
    outputs = rng.normal(size=(5, dim)).astype("float32")
    targets = np.array([0, 3, 3, 29, 17], "int32")
    return softmax, outputs, targets


def full_softmax(softmax, outputs, targets):
    kernel, bias = softmax.get_weights()[:2]
    logits = outputs @ kernel.T + bias
    normalizer = np.log(np.exp(logits).sum(axis=1))
    return normalizer - logits[np.arange(len(targets)), targets]


def test_all_words_compete_unless_training():
    softmax, outputs, targets = make()
    expected = full_softmax(softmax, outputs, targets)
    np.testing.assert_allclose(softmax(outputs, targets), expected, rtol=1e-5)
    exhaustive, _, _ = make(num_samples=30)
    loss = exhaustive(outputs, targets, training=True)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_expected_counts_are_those_of_many_samples():
    softmax, _, targets = make(num_samples=6)
    counts = np.zeros(30)
    expected_of_samples = np.zeros(30)
    draws, sample = 4000, tf.function(softmax.sample)
    for _ in range(draws):
        ids, expected_targets, expected = sample(targets)
        assert len(set(ids.numpy())) == 6
        counts[ids.numpy()] += 1
        expected_of_samples[ids.numpy()] += expected.numpy()
    assert expected_targets.shape == (5, 1)
    # Averaged over the draws in which it came, a word's expected count is near the
    # share of draws in which it did.
    np.testing.assert_allclose(
        expected_of_samples / counts, counts / draws, rtol=0.1, atol=0.02
    )
    assert counts[0] > counts[5] > counts[29]


def test_training_by_samples_finds_the_full_softmax():
    softmax, outputs, targets = make(num_samples=12)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(softmax(outputs, targets, training=True))
        variables = [variable.value for variable in softmax.trainable_variables]
        gradients = tape.gradient(loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.5 * tf.convert_to_tensor(gradient))

    before = full_softmax(softmax, outputs, targets).mean()
    for _ in range(150):
        step()
    assert full_softmax(softmax, outputs, targets).mean() < 0.3 < before


def test_samples_are_of_the_seed():
    first, outputs, targets = make()
    second, _, _ = make()
    for _ in range(2):
        np.testing.assert_array_equal(
            first.sample(targets)[0], second.sample(targets)[0]
        )
    assert not np.array_equal(first.sample(targets)[0], first.sample(targets)[0])
