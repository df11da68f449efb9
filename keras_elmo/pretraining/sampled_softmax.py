import math

import keras
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer


@keras.saving.register_keras_serializable(package="keras_elmo")
class SampledSoftmax(keras.layers.Layer):
    """Which word comes? The negative log likelihood of targets, given outputs.

    In training only a sample of the other words competes with the target, since
    to compare all of them would cost more than the rest of the model. The sample
    is drawn without replacement, the word of rank `k` in proportion to
    `log((k + 2) / (k + 1))`: that of frequencies after Zipf's law, which untrained
    biases stand for too. Expected counts are subtracted from the logits, so that the
    softmax of all words is learned.

    Like bilm-tf's, but drawn by exponential races from a seeded generator, whose
    state is saved: interrupted training goes on with the same samples.

    Reference: Jean et al. 2015, arXiv:1412.2007; log-uniform candidates as in
    `tf.random.log_uniform_candidate_sampler`.

    Args:
        vocabulary_size: Number of words, most frequent first.
        num_samples: Words to sample in a step. Defaults to 8192, as in the paper's
            models. With `vocabulary_size` or more, all words compete.
        seed: Seed of the samples. Defaults to None.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        outputs: `(tokens, dim)`, what the words are predicted from.
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
        # From zeros, an optimizer of small steps takes long to find that some words
        # are far more frequent than others.
        self.bias.assign(tf.math.log(self._frequencies()))

    def call(self, outputs, targets, training=False):
        outputs = tf.cast(outputs, tf.float32)
        kernel, bias = (tf.convert_to_tensor(v) for v in (self.kernel, self.bias))
        if not training or self.num_samples >= self.vocabulary_size:
            logits = tf.matmul(outputs, kernel, transpose_b=True) + bias
            return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.nn.sampled_softmax_loss(
            kernel,
            bias,
            labels=tf.cast(targets, tf.int64)[:, None],
            inputs=outputs,
            num_sampled=self.num_samples,
            num_classes=self.vocabulary_size,
            sampled_values=self.sample(targets),
        )

    def sample(self, targets):
        """Words to compete with the targets.

        Returns:
            int64 `(num_samples,)` distinct ids, and how often to expect each of the
            targets `(tokens, 1)` and of these ids `(num_samples,)` in a sample.
        """
        rates = self._frequencies()
        uniform = keras.random.uniform(
            (self.vocabulary_size,), minval=1e-20, seed=self.seed_generator
        )
        # Each word arrives after a time of its own; the first ones are sampled.
        # Those who would arrive by the time of the last have been expected.
        arrivals = -tf.math.log(uniform) / rates
        times, ids = tf.math.top_k(-arrivals, self.num_samples, sorted=True)
        expected = -tf.math.expm1(times[-1] * rates)
        return (
            tf.cast(ids, tf.int64),
            tf.gather(expected, targets)[:, None],
            tf.gather(expected, ids),
        )

    def _frequencies(self):
        """`(vocabulary_size,)`, by Zipf's law."""
        ranks = tf.range(self.vocabulary_size, dtype=tf.float32)
        return tf.math.log1p(1 / (ranks + 1)) / math.log(self.vocabulary_size + 1)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_samples": self.num_samples,
            "seed": self.seed,
        }
