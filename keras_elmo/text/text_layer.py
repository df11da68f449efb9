import keras

from keras_elmo.text.inputs import as_tensors


class TextLayer(keras.layers.Layer):
    """A layer that takes text in any form, or an encoded batch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = None  # what it was connected to decides

    def __call__(self, inputs, **kwargs):
        # Keras refuses lists as positional arguments.
        return super().__call__(as_tensors(inputs), **kwargs)

    @property
    def supports_jit(self):
        """Whether a model with this layer can be compiled as a whole.

        XLA has no strings, so by default it can where the layer was connected to
        integers alone. A subclassed model that passes integers may set it to True.
        """
        if self._supports_jit is not None:
            return self._supports_jit
        inputs = keras.tree.flatten(getattr(self, "input", None))
        return all("int" in getattr(tensor, "dtype", "none") for tensor in inputs)

    @supports_jit.setter
    def supports_jit(self, value):
        self._supports_jit = value
