import keras
from keras import ops

from keras_elmo.arguments import check_choice
from keras_elmo.examples.imdb.layers.where_token import where_token

_PARTS = ("last", "max", "mean")


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class Pooling(keras.layers.Layer):
    """A sequence as one vector: its last token, maximum and mean, or some of them.

    Of a sequence without a token all of them are 0.

    Args:
        parts: Some of `"last"`, `"max"` and `"mean"`, which follow each other.
            Defaults to all.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        inputs: `(batch, time, dim)`.
        mask: Boolean `(batch, time)`. Defaults to None: all are tokens.

    Returns:
        `(batch, len(parts) * dim)`.

    Raises:
        ValueError: if a part is none of these.

    Example:

    >>> Pooling(["max", "mean"])(ops.array([[[1.0], [5.0]]])).numpy().tolist()
    [[5.0, 3.0]]
    """

    def __init__(self, parts=_PARTS, **kwargs):
        super().__init__(**kwargs)
        self.parts = [check_choice("parts", part, _PARTS) for part in parts]

    def call(self, inputs, mask=None):
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (batch, 1)
        poolings = [getattr(self, f"_{part}") for part in self.parts]
        parts = [pool(inputs, mask, count) for pool in poolings]
        return ops.where(count > 0, ops.concatenate(parts, axis=-1), 0.0)

    def _last(self, inputs, mask, count):
        last = ops.maximum(count - 1, 0)[..., None]
        return ops.take_along_axis(inputs, last, axis=1)[:, 0]

    def _max(self, inputs, mask, count):
        return ops.max(where_token(mask, inputs, -1e4), axis=1)

    def _mean(self, inputs, mask, count):
        total = ops.sum(where_token(mask, inputs, 0.0), axis=1)
        return total / ops.cast(ops.maximum(count, 1), inputs.dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0], len(self.parts) * inputs_shape[-1]

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "parts": self.parts}
