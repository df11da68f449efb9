import math

import keras
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer

_BLOCK = 2**25  # logits


@keras.saving.register_keras_serializable(package="keras_elmo")
class SampledSoftmax(keras.layers.Layer):
    """Negative log likelihoods of words, by a softmax that samples in training.

    In training only a sample of the other words competes with the target, because to
    compare all of them would cost more than the rest of the model. The sample is drawn
    without replacement, the word of rank `k` in proportion to
    `log((k + 2) / (k + 1))`, which follows Zipf's law. The logarithm of a word's
    expected count in the sample is subtracted from its logit, so that the softmax of
    all words is learned. The biases start from the same frequencies.

    Unlike bilm-tf, it draws the sample from a seeded generator whose state is saved, so
    that resumed training goes on with the same samples.

    Reference: Jean et al. 2015, arXiv:1412.2007; log-uniform candidates as in
    `tf.random.log_uniform_candidate_sampler`.

    Args:
        vocabulary_size: Number of words. Their ids are in order of frequency, the most
            frequent first.
        num_samples: Words to sample in a step. Defaults to 8192, as in the paper's
            models. With `vocabulary_size` or more, all words compete.
        seed: Seed of the samples. Defaults to None.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        outputs: `(tokens, dim)`, the vectors to predict words from.
        targets: int32 `(tokens,)`, in `0..vocabulary_size - 1`.
        training: Whether to sample. Defaults to False: all words compete.

    Returns:
        float32 `(tokens,)`, natural logarithms.

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> softmax = SampledSoftmax(vocabulary_size=100, num_samples=10)
    >>> losses = softmax(tf.zeros((2, 4)), tf.constant([0, 5]))
    >>> [f"{loss:.2f}" for loss in losses.numpy()]
    ['1.90', '3.40']
    """

    def __init__(self, vocabulary_size, num_samples=8192, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = check_positive_integer(
            "vocabulary_size", vocabulary_size
        )
        self.num_samples = check_positive_integer("num_samples", num_samples)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, outputs_shape, targets_shape=None):
        dim = outputs_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.vocabulary_size, dim),
            initializer=keras.initializers.RandomNormal(stddev=1 / math.sqrt(dim)),
        )
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary_size,))
        # From zeros, it would take the optimizer many small steps to learn that some
        # words are far more frequent than others.
        self.bias.assign(tf.math.log(self.frequencies()))

    def call(self, outputs, targets, training=False):
        if not training or self.num_samples >= self.vocabulary_size:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(
                targets, self.logits(outputs)
            )
        return tf.nn.sampled_softmax_loss(
            tf.convert_to_tensor(self.kernel),
            tf.convert_to_tensor(self.bias),
            labels=tf.cast(targets, tf.int64)[:, None],
            inputs=tf.cast(outputs, tf.float32),
            num_sampled=self.num_samples,
            num_classes=self.vocabulary_size,
            sampled_values=self.sample(targets),
        )

    def logits(self, outputs):
        """The logits of all words, float32 `(tokens, vocabulary_size)`."""
        kernel, bias = (tf.convert_to_tensor(v) for v in (self.kernel, self.bias))
        return tf.matmul(tf.cast(outputs, tf.float32), kernel, transpose_b=True) + bias

    def blocks(self, count):
        """Slices of `count` positions whose logits memory holds, 128 MiB each."""
        step = max(_BLOCK // self.vocabulary_size, 1)
        return [slice(start, start + step) for start in range(0, count, step)]

    def sample(self, targets):
        """Draws the words that compete with the targets.

        Returns:
            int64 `(num_samples,)` distinct ids, and the expected counts in a sample of
            the targets `(tokens, 1)` and of these ids `(num_samples,)`.
        """
        rates = self.frequencies()
        uniform = keras.random.uniform(
            (self.vocabulary_size,), minval=1e-20, seed=self.seed_generator
        )
        # Exponential race: word k arrives after Exp(rate_k), and the first
        # `num_samples` are drawn. The expected count of a word is the probability that
        # it arrives before the last of them.
        arrivals = -tf.math.log(uniform) / rates
        times, ids = tf.math.top_k(-arrivals, self.num_samples, sorted=True)
        expected = -tf.math.expm1(times[-1] * rates)
        return (
            tf.cast(ids, tf.int64),
            tf.gather(expected, targets)[:, None],
            tf.gather(expected, ids),
        )

    def frequencies(self):
        """Relative frequencies by rank, `(vocabulary_size,)`, by Zipf's law."""
        ranks = tf.range(self.vocabulary_size, dtype=tf.float32)
        return tf.math.log1p(1 / (ranks + 1)) / math.log(self.vocabulary_size + 1)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_samples": self.num_samples,
            "seed": self.seed,
        }
