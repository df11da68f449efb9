import keras
from keras import ops

from keras_elmo.arguments import check_choice, check_positive_integer


@keras.saving.register_keras_serializable(package="keras_elmo")
class ScalarMix(keras.layers.Layer):
    """A learned weighted sum of layers: `scaling * sum_k softmax(weights)_k * x_k`.

    Its trainable variables are named `weights` and `scaling`; as attributes they
    are `mix_weights` and `scaling`, since `weights` is a property of every Keras
    layer.

    Reference: Peters et al. 2018, equation 1 and section 3.2; layer
    normalisation and regularisation as in bilm-tf (`bilm/elmo.py`).

    Args:
        num_layers: Number of tensors that will be mixed. Defaults to None: taken
            from the first call.
        initial_weights: List of `num_layers` numbers, the weights before the
            softmax. Defaults to None, which is zeros: an average of the layers.
        initial_scaling: Defaults to 1.
        do_layer_norm: `False` (default); `True` normalises each layer by mean
            and variance over all unmasked values of the *batch*, as bilm-tf
            does, so that an embedding depends on the batch it is in (AllenNLP
            does too, and counts `<S>` and `</S>`); `"row"` takes them over the
            unmasked values of each row, so that it does not.
        weights_regularizer: Regularizer of the weights before the softmax:
            `keras.regularizers.L2(l)` is the paper's lambda. Defaults to None.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        inputs: List of tensors of one shape `(batch, ..., dim)`.
        mask: Boolean `(batch, ...)`, or a list of such, of which the first
            counts; used by the layer normalisation alone.

    Returns:
        `(batch, ..., dim)` in the compute dtype. The first input's mask passes
        through.

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> import numpy as np
    >>> mix = ScalarMix()
    >>> zeros, ones = np.zeros((1, 2, 3), "float32"), np.ones((1, 2, 3), "float32")
    >>> mix([zeros, ones]).numpy().tolist()
    [[[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]]
    """

    def __init__(
        self,
        num_layers=None,
        initial_weights=None,
        initial_scaling=1.0,
        do_layer_norm=False,
        weights_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if initial_weights is not None:
            initial_weights = [float(weight) for weight in initial_weights]
            num_layers = num_layers or len(initial_weights)
            if num_layers != len(initial_weights):
                raise ValueError(
                    "`initial_weights` should hold one number a layer. Received: "
                    f"{len(initial_weights)} numbers for num_layers={num_layers}"
                )
        if num_layers is not None:
            check_positive_integer("num_layers", num_layers)
        self.num_layers = num_layers
        self.initial_weights = initial_weights
        self.initial_scaling = float(initial_scaling)
        self.do_layer_norm = check_choice(
            "do_layer_norm", do_layer_norm, (False, True, "row")
        )
        self.weights_regularizer = keras.regularizers.get(weights_regularizer)
        self.supports_masking = True

    def build(self, inputs_shape):
        self._check_count(inputs_shape)
        if len({shape[-1] for shape in inputs_shape}) > 1:
            raise ValueError(
                "`inputs` should be a list of tensors of one shape. Received: shapes "
                f"{[tuple(shape) for shape in inputs_shape]}"
            )
        count = len(inputs_shape)
        initial_weights = self.initial_weights or [0.0] * count
        self.mix_weights = self.add_weight(
            name="weights",
            shape=(count,),
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                initial_weights, dtype
            ),
            regularizer=self.weights_regularizer,
        )
        self.scaling = self.add_weight(
            name="scaling",
            shape=(),
            initializer=keras.initializers.Constant(self.initial_scaling),
        )

    def call(self, inputs, mask=None):
        self._check_count(inputs)
        if self.do_layer_norm:
            mask = mask[0] if isinstance(mask, list | tuple) else mask
            inputs = [self._normalize(tensor, mask) for tensor in inputs]
        mixed = sum(
            share * tensor for share, tensor in zip(self._shares(), inputs, strict=True)
        )
        return self.scaling * mixed  # (batch, ..., dim)

    def _shares(self):
        """The softmax of the weights, a scalar a layer."""
        count = self.mix_weights.shape[0]
        if count == 1:
            # Keras warns of a softmax of one value, which is 1 whatever that is.
            return [1.0 + 0.0 * self.mix_weights[0]]
        return ops.unstack(ops.softmax(self.mix_weights), num=count)

    def _normalize(self, tensor, mask):
        """Zero mean and unit variance over the unmasked values; masked ones 0."""
        # Half precision holds neither 1e-12 nor sums over a batch: this is in float32.
        tensor = ops.cast(tensor, "float32")
        ndim = len(tensor.shape)
        axes = tuple(range(ndim)) if self.do_layer_norm is True else (*range(1, ndim),)
        keep = ops.ones_like(tensor)
        if mask is not None:
            keep = keep * ops.cast(mask, "float32")[..., None]
        count = ops.maximum(ops.sum(keep, axis=axes, keepdims=True), 1)
        mean = ops.sum(tensor * keep, axis=axes, keepdims=True) / count
        squares = ops.square((tensor - mean) * keep)
        variance = ops.sum(squares, axis=axes, keepdims=True) / count
        normalized = (tensor - mean) / ops.sqrt(variance + 1e-12)
        # The product matters where all is masked: 1e-12 would blow the values up.
        return ops.cast(normalized * keep, self.compute_dtype)

    def _check_count(self, inputs):
        is_list = isinstance(inputs, list | tuple) and len(inputs) > 0
        if not is_list or isinstance(inputs[0], int | None):  # or one tensor's shape
            raise ValueError(
                "`inputs` should be a list of tensors of one shape, one a layer. "
                f"Received: inputs={inputs!r}"
            )
        expected = self.mix_weights.shape[0] if self.built else self.num_layers
        if expected is not None and len(inputs) != expected:
            raise ValueError(
                f"`inputs` should be a list of {expected} tensors, one a mixing "
                f"weight. Received: a list of length {len(inputs)}"
            )

    def compute_mask(self, inputs, previous_mask=None):
        if isinstance(previous_mask, list | tuple):
            return previous_mask[0]
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "initial_weights": self.initial_weights,
            "initial_scaling": self.initial_scaling,
            "do_layer_norm": self.do_layer_norm,
            "weights_regularizer": keras.regularizers.serialize(
                self.weights_regularizer
            ),
        }
