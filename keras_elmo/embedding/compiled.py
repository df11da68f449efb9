"""A Keras layer as a pure function of integers and weights, plain or compiled.

A gradient tape can't record what is inside a function compiled by XLA if it
holds a loop. So nothing of the inside is offered to the tape: frozen weights
enter as constants, and where weights are trained, the gradient is a compiled
function of its own, which runs the forward pass again.
"""

import keras
import tensorflow as tf


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
