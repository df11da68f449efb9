import keras


@keras.saving.register_keras_serializable(package="keras_elmo")
class AttachMask(keras.layers.Layer):
    """Attaches a mask to a sequence, which itself stays as it is.

    Layers that follow then find the mask on the tensor, as they do after
    `keras.layers.Embedding`.

    Args:
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        inputs: Pair of a sequence `(batch, time, dim)` and its boolean mask
            `(batch, time)`.

    Returns:
        `(batch, time, dim)`.

    Example:

    >>> import numpy as np
    >>> sequence, mask = np.ones((1, 2, 1), "float32"), np.array([[True, False]])
    >>> keras.layers.GlobalAveragePooling1D()(AttachMask()([sequence, mask])).shape
    TensorShape([1, 1])
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs):
        return inputs[0]

    def compute_mask(self, inputs, previous_mask=None):
        return inputs[1]

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0]
