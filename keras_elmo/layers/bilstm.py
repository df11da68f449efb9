import functools

import keras
from keras import ops

from keras_elmo.arguments import check_boolean, check_positive_integer
from keras_elmo.layers.projected_lstm import (
    ProjectedLSTM,
    check_time_steps,
    packed_batch,
    runs_packed,
)


@keras.saving.register_keras_serializable(package="keras_elmo")
class BiLSTM(keras.layers.Layer):
    """A stack of projected LSTMs in two directions that never meet.

    Each direction reads only its own lower layer, so that a forward output
    knows nothing of what follows it: that is what makes it a language model.
    (`keras.layers.Bidirectional` would join the directions after each layer.)
    All layers are returned, both directions concatenated.

    With skip connections, every layer from the second on adds its input to its
    output, after the projection clip; outputs may therefore exceed it.

    Reference: Peters et al. 2018, section 3.1; arithmetic as in bilm-tf
    (`bilm/model.py`, `_build_lstms`).

    Args:
        units: Size of each direction's memory.
        projection_dim: Size of each direction's output. Defaults to None,
            which is `units`: no projection.
        num_layers: Defaults to 2, as in every published ELMo.
        cell_clip: See `ProjectedLSTM`. Defaults to 3.
        projection_clip: See `ProjectedLSTM`. Defaults to 3.
        use_skip_connections: Defaults to True.
        return_state: Whether to return the final states too.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        inputs: `(batch, time, input_dim)`, floating point, with at least one
            time step.
        mask: Boolean `(batch, time)`, True where there is a token.
        initial_state: List of `4 * num_layers` tensors, for each layer the
            forward hidden state `(batch, projection_dim)`, the forward memory
            `(batch, units)`, the backward hidden state and the backward memory.
            Defaults to zeros.
        packed: Whether to compute only where there are tokens, in place of all
            positions up to the longest row. The results are the same. It is for
            TensorFlow outside XLA, which has no shapes that depend on values;
            so it defaults to None: in direct calls, where it is known that XLA
            does not compile.

    Returns:
        List of `num_layers` tensors `(batch, time, 2 * projection_dim)` in the
        compute dtype, 0 where masked. With `return_state=True`, a pair of that
        list and the list of final states, in the order of `initial_state`.

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> import numpy as np
    >>> bilstm = BiLSTM(units=16, projection_dim=4)
    >>> [layer.shape for layer in bilstm(np.ones((2, 5, 8), "float32"))]
    [TensorShape([2, 5, 8]), TensorShape([2, 5, 8])]
    """

    def __init__(
        self,
        units,
        projection_dim=None,
        num_layers=2,
        cell_clip=3.0,
        projection_clip=3.0,
        use_skip_connections=True,
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_layers = check_positive_integer("num_layers", num_layers)
        self.use_skip_connections = check_boolean(
            "use_skip_connections", use_skip_connections
        )
        self.return_state = check_boolean("return_state", return_state)
        self.supports_masking = True
        self.forward_layers, self.backward_layers = (
            [
                ProjectedLSTM(
                    units,
                    projection_dim,
                    cell_clip,
                    projection_clip,
                    go_backwards=direction == "backward",
                    return_state=True,
                    dtype=self.dtype_policy,
                    name=f"{direction}_{index + 1}",
                )
                for index in range(num_layers)
            ]
            for direction in ("forward", "backward")
        )
        # All layers have the same arguments, which the first one has checked.
        first = self.forward_layers[0]
        self.units = first.units
        self.projection_dim = first.projection_dim
        self.cell_clip = first.cell_clip
        self.projection_clip = first.projection_clip

    @property
    def state_sizes(self):
        """Sizes of the tensors of `initial_state`, in their order."""
        return [self.projection_dim, self.units] * 2 * self.num_layers

    def build(self, inputs_shape, initial_state_shape=None):
        for layers in (self.forward_layers, self.backward_layers):
            layers[0].build(inputs_shape)
            for layer in layers[1:]:
                layer.build((*inputs_shape[:-1], self.projection_dim))

    def call(self, inputs, mask=None, initial_state=None, packed=None):
        states = self._split_state(initial_state)
        read = functools.partial(self.read, mask=mask)
        if packed or (packed is None and runs_packed()):
            check_time_steps(inputs)
            if mask is None:
                mask = ops.ones(ops.shape(inputs)[:2], "bool")
            read = functools.partial(self._read_packed, packed_batch(mask))
        forward, forward_states = read(
            self.forward_layers, inputs, [state[:2] for state in states]
        )
        backward, backward_states = read(
            self.backward_layers, inputs, [state[2:] for state in states]
        )
        outputs = [
            ops.concatenate(pair, axis=-1)  # (batch, time, 2 * projection_dim)
            for pair in zip(forward, backward, strict=True)
        ]
        if not self.return_state:
            return outputs
        final = zip(forward_states, backward_states, strict=True)
        return outputs, [tensor for pair in final for state in pair for tensor in state]

    def read(self, layers, inputs, states, mask=None, dropout=None):
        """One direction alone, which may then read what the other does not.

        Args:
            layers: `self.forward_layers` or `self.backward_layers`. The latter
                read each row from its end, and return it in its own order.
            inputs: See the call arguments; so is `mask`.
            states: For each layer its initial `[hidden, memory]`, or an empty
                list for zeros.
            dropout: Function to apply to the input of every layer, as bilm-tf
                trains. Defaults to None.

        Returns:
            The list of the layers' outputs `(batch, time, projection_dim)`, and
            the list of their final states, as `states`.
        """
        return self._read_stack(
            lambda layer, inputs, state: layer(
                inputs, mask=mask, initial_state=state or None
            ),
            layers,
            inputs,
            states,
            dropout,
        )

    def _read_packed(self, batch, layers, inputs, states):
        """The same, computed where there are tokens and nowhere else."""
        go_backwards = layers[0].go_backwards
        # All layers share them, because others would only make the graph larger.
        zeros = batch.zeros([self.projection_dim, self.units], self.compute_dtype)
        outputs, final_states = self._read_stack(
            lambda layer, inputs, state: layer.read_packed(batch, inputs, state),
            layers,
            batch.pack(inputs, go_backwards),
            [batch.sort(state) or zeros for state in states],
        )
        outputs = [batch.unpack(tensor, go_backwards) for tensor in outputs]
        return outputs, [batch.unsort(state) for state in final_states]

    def _read_stack(self, read_layer, layers, inputs, states, dropout=None):
        """Each layer reads the outputs of the one below it."""
        outputs, final_states = [], []
        for index, (layer, state) in enumerate(zip(layers, states, strict=True)):
            if dropout is not None:
                inputs = dropout(inputs)
            lstm_output, *final_state = read_layer(layer, inputs, state)
            if self.use_skip_connections and index > 0:
                lstm_output = lstm_output + inputs
            inputs = lstm_output
            outputs.append(lstm_output)
            final_states.append(final_state)
        return outputs, final_states

    def _split_state(self, initial_state):
        """The flat list as one list of four a layer, empty for zeros."""
        if initial_state is None:
            return [[]] * self.num_layers
        initial_state = list(initial_state)
        if len(initial_state) != len(self.state_sizes):
            raise ValueError(
                "`initial_state` should be a list of 4 tensors a layer, "
                f"{len(self.state_sizes)} in all, as `return_state=True` returns it. "
                f"Received: a list of length {len(initial_state)}"
            )
        for tensor, size in zip(initial_state, self.state_sizes, strict=True):
            if len(tensor.shape) != 2 or tensor.shape[1] != size:
                raise ValueError(
                    "`initial_state` should hold tensors of shapes (batch, "
                    f"{self.projection_dim}) and (batch, {self.units}) in turn. "
                    f"Received: shapes {[tuple(t.shape) for t in initial_state]}"
                )
        return [initial_state[4 * i : 4 * i + 4] for i in range(self.num_layers)]

    def compute_mask(self, inputs, previous_mask=None):
        if isinstance(previous_mask, list):
            previous_mask = previous_mask[0]
        masks = [previous_mask] * self.num_layers
        return (masks, [None] * len(self.state_sizes)) if self.return_state else masks

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        batch, time, _ = inputs_shape
        outputs = [(batch, time, 2 * self.projection_dim)] * self.num_layers
        if not self.return_state:
            return outputs
        return outputs, [(batch, size) for size in self.state_sizes]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "projection_dim": self.projection_dim,
            "num_layers": self.num_layers,
            "cell_clip": self.cell_clip,
            "projection_clip": self.projection_clip,
            "use_skip_connections": self.use_skip_connections,
            "return_state": self.return_state,
        }
