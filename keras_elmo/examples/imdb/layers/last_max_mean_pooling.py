import keras
from keras import ops

from keras_elmo.examples.imdb.layers.where_token import where_token


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class LastMaxMeanPooling(keras.layers.Layer):
    """The last token, the maximum and the mean, one after the other.

    Args:
        last: Whether the last token is a part. Defaults to True.
        **kwargs: `name`, as for any Keras layer.
    """

    def __init__(self, last=True, **kwargs):
        super().__init__(**kwargs)
        self.last = last

    def call(self, inputs, mask=None):
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        count = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1), 1)  # (batch,)
        inputs = where_token(mask, inputs, 0.0)
        parts = [
            ops.max(where_token(mask, inputs, -1e4), axis=1),
            ops.sum(inputs, axis=1) / ops.cast(count, inputs.dtype)[:, None],
        ]
        if self.last:
            index = ops.cast(count - 1, "int32")[:, None, None]
            parts.append(ops.take_along_axis(inputs, index, axis=1)[:, 0])
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0], (2 + self.last) * inputs_shape[-1]

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "last": self.last}
