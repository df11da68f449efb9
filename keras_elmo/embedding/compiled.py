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

    Returns:
        The list of the biLM's layers, as it returns them.
    """

    def __init__(self, bilm, start_state, jit_compile):
        self._bilm = bilm
        self._start_state = start_state
        self.is_compiled = jit_compile
        if jit_compile == "auto":
            self.is_compiled = bool(tf.config.list_physical_devices("GPU"))
        self._run = PureCall(bilm, bilm.finetuned_variables, self.is_compiled)

    def __call__(self, encoded):
        if not self.is_compiled:
            return self._run(encoded, self._initial_state(encoded))
        batch, time, *_ = tf.unstack(tf.shape(positions(encoded)))
        padded = pad_to_buckets(encoded, self._bilm.max_characters)
        layers = self._run(padded, self._initial_state(padded))
        return [layer[:batch, :time] for layer in layers]

    def _initial_state(self, encoded):
        if self._start_state is None:
            return None
        return self._start_state(positions(encoded))


class PureCall:
    """Calls a layer whose weights only count as trained if they are named so.

    Whatever its variables' flags say, no gradient flows to the others.

    Args:
        layer: A built Keras layer that returns a list of floating-point tensors and
            has no side effects. No gradient is wanted for what it takes.
        trained: Those of its variables that gradients are wanted for.
        compiled: Whether XLA compiles the call, and its gradient.
    """

    def __init__(self, layer, trained, compiled):
        self._layer = layer
        self._trained = list(trained)
        ids = {id(variable) for variable in self._trained}
        self._frozen = [v for v in layer.variables if id(v) not in ids]
        self._function = self._call
        if compiled:
            # One trace serves all shapes; XLA sees the actual ones all the same.
            options = {"reduce_retracing": True, "autograph": False}
            self._forward = tf.function(self._call, jit_compile=True, **options)
            self._backward = tf.function(self._gradients, jit_compile=True, **options)
            self._function = self._forward
            if self._trained:
                self._function = tf.function(self._differentiable, **options)

    def __call__(self, *inputs):
        trained = [variable.value for variable in self._trained]
        trained = [tf.convert_to_tensor(value) for value in trained]
        frozen = [tf.stop_gradient(variable.value) for variable in self._frozen]
        return self._function(inputs, trained, frozen)

    def _call(self, inputs, trained, frozen):
        variables = [*self._trained, *self._frozen]
        with keras.StatelessScope(
            list(zip(variables, [*trained, *frozen], strict=True))
        ):
            return self._layer(*inputs)

    def _gradients(self, inputs, trained, frozen, upstream):
        with tf.GradientTape() as tape:
            tape.watch(trained)
            outputs = self._call(inputs, trained, frozen)
        return tape.gradient(outputs, trained, upstream, unconnected_gradients="zero")

    def _differentiable(self, inputs, trained, frozen):
        @tf.custom_gradient
        def call(*trained):
            def gradients(*upstream):
                return self._backward(inputs, list(trained), frozen, list(upstream))

            return self._forward(inputs, list(trained), frozen), gradients

        return call(*trained)
