import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class WordEmbedding(keras.layers.Layer):
    """A trainable embedding of each word by itself, whatever is around it.

    Peters et al. 2018 (arXiv:1802.05365, section 3.2) give such an embedding to a task
    model together with that of ELMo.

    Args:
        vocabulary: The words, in lower case. All others share one embedding.
        dim: Size of an embedding.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        tokens: Strings `(batch, time)`, `""` where there is none.

    Returns:
        `(batch, time, dim)`.

    Example:

    >>> WordEmbedding(["good", "bad"], 8)(tf.constant([["Good", "film", ""]])).shape
    TensorShape([1, 3, 8])
    """

    def __init__(self, vocabulary, dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.dim = dim
        self.supports_jit = False  # XLA knows no strings
        self._lookup = keras.layers.StringLookup(
            vocabulary=self.vocabulary, mask_token=""
        )
        self._embedding = keras.layers.Embedding(
            self._lookup.vocabulary_size(),
            dim,
            # As spread as vectors that were trained, so that they count from the start.
            embeddings_initializer=keras.initializers.RandomUniform(-0.25, 0.25),
        )

    def build(self, tokens_shape):
        self._embedding.build(tokens_shape)

    def call(self, tokens):
        return self._embedding(self._lookup(tf.strings.lower(tokens, "utf-8")))

    def compute_output_shape(self, tokens_shape):
        return (*tokens_shape, self.dim)

    def get_config(self):
        config = super().get_config()
        return {**config, "vocabulary": self.vocabulary, "dim": self.dim}
