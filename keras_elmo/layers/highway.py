import keras
from keras import ops

from keras_elmo.arguments import check_activation


@keras.saving.register_keras_serializable(package="keras_elmo")
class Highway(keras.layers.Layer):
    """Mixes its input with a transformation of it, by a learned gate.

    ```
    carry = sigmoid(x @ W_carry + b_carry)
    y     = carry * activation(x @ W_transform + b_transform) + (1 - carry) * x
    ```

    Note the sign: `carry` multiplies the *transformed* input. That is how
    bilm-tf names it, and weight files keep its names.

    Reference: Srivastava et al. 2015, arXiv:1505.00387; the form is that of
    bilm-tf (`bilm/model.py`, `highway`).

    Args:
        activation: Activation of the transformation. Defaults to `"relu"`,
            as in every published ELMo.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Input shape: `(..., dim)`, floating point.

    Output shape: `(..., dim)`, the layer's compute dtype.

    A mask passes through unchanged.

    Example:

    >>> import numpy as np
    >>> highway = Highway()
    >>> highway(np.ones((2, 5, 7), "float32")).shape
    TensorShape([2, 5, 7])
    """

    def __init__(self, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.activation = check_activation("activation", activation)
        self.supports_masking = True

    def build(self, inputs_shape):
        dim = inputs_shape[-1]
        # A flag set earlier does not reach layers that are made later.
        kwargs = {"dtype": self.dtype_policy, "trainable": self.trainable}
        # -2 opens the gate by 12 %: an untrained highway nearly passes its
        # input on, which is what makes deep stacks trainable.
        self.carry = keras.layers.Dense(
            dim,
            activation="sigmoid",
            bias_initializer=keras.initializers.Constant(-2.0),
            name="carry",
            **kwargs,
        )
        self.transform = keras.layers.Dense(
            dim, activation=self.activation, name="transform", **kwargs
        )
        self.carry.build(inputs_shape)
        self.transform.build(inputs_shape)

    def call(self, inputs):
        carry = self.carry(inputs)  # (..., dim)
        return carry * self.transform(inputs) + (1 - carry) * ops.cast(
            inputs, self.compute_dtype
        )

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }
