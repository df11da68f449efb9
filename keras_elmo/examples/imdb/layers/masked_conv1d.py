import keras

from keras_elmo.examples.imdb.layers.where_token import where_token


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class MaskedConv1D(keras.layers.Conv1D):
    """A convolution that keeps the mask, and reads zeros where there is no token."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return super().call(where_token(mask, inputs, 0.0))
