import keras
from keras import ops

from keras_elmo.arguments import check_clip, check_positive_integer
from keras_elmo.layers.lstm_step import lstm_step


class _Cell(keras.layers.Layer):
    """What `keras.layers.RNN` wants of a cell, around a step that owns its weights.

    The weights belong to the layer, because the paths in Keras' files are made of
    attribute names: another loop can take the place of this one, and old files load.
    """

    def __init__(self, step, state_size, **kwargs):
        super().__init__(**kwargs)
        self.step = step
        self.state_size = state_size
        self.output_size = state_size[0]
        self.built = True

    def call(self, inputs, states, training=None):
        hidden, memory = self.step(inputs, *states)
        return hidden, [hidden, memory]

    def get_initial_state(self, batch_size=None):
        return [
            ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in self.state_size
        ]


@keras.saving.register_keras_serializable(package="keras_elmo")
class ProjectedLSTM(keras.layers.Layer):
    """An LSTM with a linear projection of its output, and clipped values.

    ```
    i, j, f, o = split(x @ W + b + h @ U)
    c = clip(sigmoid(f + 1) * c + sigmoid(i) * tanh(j), cell_clip)
    h = clip((sigmoid(o) * tanh(c)) @ P, projection_clip)
    ```

    `P`, and with it the second clip, exists only if `projection_dim < units`.
    `x @ W + b` is computed for all time steps at once, ahead of the loop.

    Unlike `keras.layers.LSTM`, the outputs of `go_backwards=True` are in the
    order of the inputs. A mask freezes the state and sets the output to 0, so
    that right padding changes nothing in either direction.

    Reference: Sak et al. 2014, arXiv:1402.1128; see `lstm_step`.

    Args:
        units: Size of the memory, `dim` in options files.
        projection_dim: Size of the output. Defaults to None, which is `units`:
            no projection.
        cell_clip: Memory values are kept in `[-cell_clip, cell_clip]`. Defaults
            to 3, as in every published ELMo; None does not clip.
        projection_clip: The same for the projected output.
        go_backwards: Whether to read each sequence from its end.
        return_state: Whether to return the final state too.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        inputs: `(batch, time, input_dim)`, floating point, with at least one
            time step.
        mask: Boolean `(batch, time)`, True where there is a token.
        initial_state: `[hidden, memory]` of shapes `(batch, projection_dim)`
            and `(batch, units)`. Defaults to zeros.

    Returns:
        `(batch, time, projection_dim)` in the compute dtype, 0 where masked.
        With `return_state=True`, a list of it, the final hidden state and the
        final memory.

    Raises:
        ValueError: if an argument is not as described, or there is no time step.

    Example:

    >>> import numpy as np
    >>> lstm = ProjectedLSTM(units=16, projection_dim=4)
    >>> lstm(np.ones((2, 5, 8), "float32")).shape
    TensorShape([2, 5, 4])
    """

    def __init__(
        self,
        units,
        projection_dim=None,
        cell_clip=3.0,
        projection_clip=3.0,
        go_backwards=False,
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_positive_integer("units", units)
        if projection_dim is None:
            projection_dim = units
        self.projection_dim = check_positive_integer("projection_dim", projection_dim)
        if projection_dim > units:
            raise ValueError(
                "`projection_dim` should not exceed `units`: the projection only "
                f"ever narrows. Received: projection_dim={projection_dim}, "
                f"units={units}"
            )
        self.cell_clip = check_clip("cell_clip", cell_clip)
        self.projection_clip = check_clip("projection_clip", projection_clip)
        self.go_backwards = go_backwards
        self.return_state = return_state
        self.supports_masking = True
        self.rnn = keras.layers.RNN(
            _Cell(
                self._step,
                state_size=[projection_dim, units],
                dtype=self.dtype_policy,
                name="cell",
            ),
            return_sequences=True,
            return_state=True,
            go_backwards=go_backwards,
            zero_output_for_mask=True,
            dtype=self.dtype_policy,
            name="rnn",
        )

    def build(self, inputs_shape, initial_state_shape=None):
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs_shape[-1], 4 * self.units)
        )
        self.bias = self.add_weight(
            name="bias", shape=(4 * self.units,), initializer="zeros"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.projection_dim, 4 * self.units)
        )
        self.projection_kernel = None
        if self.projection_dim != self.units:
            self.projection_kernel = self.add_weight(
                name="projection_kernel", shape=(self.units, self.projection_dim)
            )
        self.rnn.build((*inputs_shape[:-1], 4 * self.units))

    def call(self, inputs, mask=None, initial_state=None):
        check_time_steps(inputs)
        projected = ops.matmul(inputs, self.kernel) + self.bias
        outputs, hidden, memory = self.rnn(
            projected,  # (batch, time, 4 * units)
            initial_state=initial_state,
            mask=mask,
        )
        if self.go_backwards:
            outputs = ops.flip(outputs, axis=1)
        return [outputs, hidden, memory] if self.return_state else outputs

    def read_packed(self, batch, inputs, initial_state):
        """Reads a batch that has been packed, see `packed` of `BiLSTM`.

        Args:
            batch: The `PackedBatch`.
            inputs: `(tokens, input_dim)`, packed for this layer's direction.
            initial_state: As in a call, but with the rows as `batch` sorts them.

        Returns:
            `(tokens, projection_dim)`, and the final hidden state and memory.
        """
        # The core is Keras alone, but for this loop, which other backends never see.
        from keras_elmo.layers.on_tensorflow.packed_lstm import packed_lstm

        kernels = [self.recurrent_kernel]
        if self.projection_kernel is not None:
            kernels.append(self.projection_kernel)
        return packed_lstm(
            ops.matmul(inputs, self.kernel) + self.bias,
            batch.sizes,
            *(ops.cast(tensor, self.compute_dtype) for tensor in initial_state),
            *(ops.convert_to_tensor(kernel.value) for kernel in kernels),
            cell_clip=self.cell_clip,
            projection_clip=self.projection_clip,
            widths=(self.projection_dim, self.units),
            is_trained=bool(self.trainable_weights),
        )

    def _step(self, projected_input, hidden, memory):
        return lstm_step(
            projected_input,
            hidden,
            memory,
            self.recurrent_kernel,
            self.projection_kernel,
            self.cell_clip,
            self.projection_clip,
        )

    def compute_mask(self, inputs, previous_mask=None):
        if isinstance(previous_mask, list):
            previous_mask = previous_mask[0]
        return [previous_mask, None, None] if self.return_state else previous_mask

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        batch = inputs_shape[0]
        outputs_shape = (*inputs_shape[:-1], self.projection_dim)
        if not self.return_state:
            return outputs_shape
        return [outputs_shape, (batch, self.projection_dim), (batch, self.units)]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "projection_dim": self.projection_dim,
            "cell_clip": self.cell_clip,
            "projection_clip": self.projection_clip,
            "go_backwards": self.go_backwards,
            "return_state": self.return_state,
        }


def runs_packed():
    """Whether a call is known to be outside XLA, in TensorFlow: it is a direct one."""
    if keras.backend.backend() != "tensorflow":
        return False
    from keras_elmo.layers.on_tensorflow.packed_lstm import is_direct_call

    return is_direct_call()


def packed_batch(mask):
    """The `PackedBatch` of a mask `(batch, time)`."""
    from keras_elmo.layers.on_tensorflow.packed_batch import PackedBatch

    return PackedBatch.of_mask(mask)


def check_time_steps(inputs):
    """Refuses sequences of no time steps, which have no last state either."""
    if inputs.shape[1] == 0:
        raise ValueError(
            "`inputs` should be (batch, time, input_dim) with at least one time "
            f"step. Received: inputs of shape {tuple(inputs.shape)}"
        )
