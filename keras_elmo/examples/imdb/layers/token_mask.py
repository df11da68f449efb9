import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class TokenMask(keras.layers.Layer):
    """Where there are tokens: strings `(batch, time)` to booleans of that shape.

    Example:

    >>> TokenMask()(tf.constant([["good", ""]])).numpy().tolist()
    [[True, False]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # XLA knows no strings
        self.built = True

    def call(self, tokens):
        return tf.not_equal(tokens, "")
