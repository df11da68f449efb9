import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_elmo")
class ApplyMask(keras.layers.Layer):
    """Sets a sequence to 0 where its mask is False, and attaches the mask to it.

    Layers that follow then find the mask on the tensor, as they do after
    `keras.layers.Embedding`.

    Args:
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        inputs: Pair of a sequence `(batch, time, dim)` and its boolean mask
            `(batch, time)`.

    Returns:
        `(batch, time, dim)` in the compute dtype.

    Example:

    >>> import numpy as np
    >>> sequence, mask = np.ones((1, 2, 1), "float32"), np.array([[True, False]])
    >>> ApplyMask()([sequence, mask]).numpy().tolist()
    [[[1.0], [0.0]]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs):
        sequence, mask = inputs
        return sequence * ops.cast(mask, sequence.dtype)[..., None]

    def compute_mask(self, inputs, previous_mask=None):
        return inputs[1]

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0]
