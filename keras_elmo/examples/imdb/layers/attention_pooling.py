import keras
from keras import ops

from keras_elmo.examples.imdb.layers.where_token import where_token


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class AttentionPooling(keras.layers.Layer):
    """Four weighted means over tokens, whose weights are learned.

    Reference: Lin et al. 2017, arXiv:1703.03130.
    """

    def build(self, inputs_shape):
        self.hidden = keras.layers.Dense(64, activation="tanh", name="hidden")
        self.hidden.build(inputs_shape)
        self.scores = keras.layers.Dense(4, use_bias=False, name="scores")
        self.scores.build((*inputs_shape[:-1], 64))

    def call(self, inputs, mask=None):
        scores = where_token(mask, self.scores(self.hidden(inputs)), -1e9)
        shares = ops.softmax(scores, axis=1)  # (batch, time, 4)
        means = ops.einsum("bth,btd->bhd", shares, inputs)
        return ops.reshape(means, (-1, 4 * inputs.shape[-1]))

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0], 4 * inputs_shape[-1]

    def compute_mask(self, inputs, mask=None):
        return None
