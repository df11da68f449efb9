"""The biLM as an embedding calls it: a pure function, plain or compiled by XLA.

A gradient tape can't record what is inside a function compiled by XLA if it holds a
loop. So the tape is offered nothing of the inside: frozen weights enter as constants,
and where weights are trained, the gradient is a compiled function of its own, which
runs the forward pass again.
"""

import keras
import tensorflow as tf

from keras_elmo.char_ids import positions
from keras_elmo.embedding.buckets import pad_to_buckets


class CompiledBiLM:
    """Calls a `BiLM`, compiled if XLA is wanted, from a start state if there is one.

    Args:
        bilm: A built `BiLM` with `return_state=False`.
        start_state: A `StartState`, or None for zeros.
        jit_compile: `True`, `False`, or `"auto"`: where TensorFlow sees a GPU.

    Call arguments:
        encoded: An encoded batch of any form, see `ElmoPreprocessor`.
        packed: Whether the plain function may leave padding out, see `BiLSTM`: not
            where XLA may compile what is around it.

    Returns:
        The list of the biLM's layers, as it returns them.
    """

    def __init__(self, bilm, start_state, jit_compile):
        self._bilm = bilm
        self._start_state = start_state
        self.is_compiled = jit_compile
        if jit_compile == "auto":
            self.is_compiled = bool(tf.config.list_physical_devices("GPU"))
        trained = {id(variable) for variable in bilm.finetuned_variables}
        self._run = PureCall(
            bilm,
            trained=bilm.finetuned_variables,
            frozen=[v for v in bilm.variables if id(v) not in trained],
            compiled=self.is_compiled,
        )

    def __call__(self, encoded, packed):
        if not self.is_compiled:
            return self._run(encoded, self._initial_state(encoded), packed=packed)
        batch, time, *_ = tf.unstack(tf.shape(positions(encoded)))
        padded = pad_to_buckets(encoded, self._bilm.char_cnn.ids_per_token)
        layers = self._run(padded, self._initial_state(padded))
        return [layer[:batch, :time] for layer in layers]

    def _initial_state(self, encoded):
        if self._start_state is None:
            return None
        return self._start_state(positions(encoded))


class PureCall:
    """Calls a function in one graph, to which the weights that it uses are arguments.

    Whatever its variables' flags say, no gradient flows to frozen ones.

    Args:
        function: Function of tensors, or structures of them, with no side effects. If
            it is compiled, it returns a list of floating-point tensors, and no
            gradient is wanted for what it takes.
        trained: The variables in it that gradients may be wanted for.
        frozen: The other variables in it.
        compiled: Whether XLA compiles the call, and its gradient. Defaults to False.

    Call arguments:
        *inputs: Of the function.
        **options: Of the function; one trace serves all inputs, but one value of these.
    """

    def __init__(self, function, trained, frozen=(), compiled=False):
        self._function = function
        self._trained = list(trained)
        self._frozen = list(frozen)
        self._traces = {}
        self._compiled = compiled
        # One trace serves all shapes; XLA sees the actual ones all the same.
        graph = {"reduce_retracing": True, "autograph": False}
        self._run = tf.function(self._call, **graph)
        if compiled:
            self._forward = tf.function(self._call, jit_compile=True, **graph)
            self._backward = tf.function(self._gradients, jit_compile=True, **graph)
            self._run = tf.function(self._differentiable, **graph)

    def __call__(self, *inputs, **options):
        trained = [variable.value for variable in self._trained]
        trained = [tf.convert_to_tensor(value) for value in trained]
        frozen = [tf.stop_gradient(variable.value) for variable in self._frozen]
        run = self._run
        if tf.executing_eagerly() and not tf.config.functions_run_eagerly():
            run = self._trace(inputs, trained, frozen, **options)
        elif not self._compiled:
            # A function of its own would hide from TensorFlow that XLA compiles it.
            run = self._call
        return run(inputs, trained, frozen, **options)

    def _trace(self, inputs, trained, frozen, **options):
        """The one graph for a form of inputs, of any sizes.

        It is called itself, because `tf.function` remembers up to a thousand sizes that
        it was called with, and for each of them the shapes of all weights.
        """
        specs = tf.nest.map_structure(of_any_size, inputs)
        # Inside a layer of another precision, Keras casts the weights to that.
        dtypes = [weight.dtype for weight in [*trained, *frozen]]
        form = str((specs, dtypes, options))
        if form not in self._traces:
            self._traces[form] = self._run.get_concrete_function(
                specs, trained, frozen, **options
            )
        return self._traces[form]

    def _call(self, inputs, trained, frozen, **options):
        variables = [*self._trained, *self._frozen]
        with keras.StatelessScope(
            list(zip(variables, [*trained, *frozen], strict=True))
        ):
            return self._function(*inputs, **options)

    def _gradients(self, inputs, trained, frozen, upstream):
        with tf.GradientTape() as tape:
            tape.watch(trained)
            outputs = self._call(inputs, trained, frozen)
        return tape.gradient(outputs, trained, upstream, unconnected_gradients="zero")

    def _differentiable(self, inputs, trained, frozen):
        @tf.custom_gradient
        def call(*trained):
            def gradients(*upstream):
                if not trained:
                    return []
                return self._backward(inputs, list(trained), frozen, list(upstream))

            return self._forward(inputs, list(trained), frozen), gradients

        return call(*trained)


def of_any_size(tensor):
    """The specification of tensors like this one, of any sizes; None stays None."""
    if tensor is None:
        return None
    shape = [None] * tensor.shape.rank
    if tensor.dtype.is_floating:
        shape[-1] = tensor.shape[-1]  # of vectors, whose width is the model's
    if isinstance(tensor, tf.RaggedTensor):
        splits = tensor.row_splits.dtype
        return tf.RaggedTensorSpec(shape, tensor.dtype, tensor.ragged_rank, splits)
    return tf.TensorSpec(shape, tensor.dtype)
