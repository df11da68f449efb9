"""The Keras layer of strongio's notebook, for models that were built with it."""

import keras

from keras_elmo.compat.tfhub import Module

__all__ = ["ElmoEmbeddingLayer"]


@keras.saving.register_keras_serializable(package="keras_elmo")
class ElmoEmbeddingLayer(Module):
    """A column of sentences to their mean vectors, as in many notebooks.

    Reference: `strongio/keras-elmo`, whose notebook has the layer, with
    https://tfhub.dev/google/elmo/2 written into it.

    Args:
        spec: See `keras_elmo.compat.tfhub.Module`. Defaults to that address.
        trainable: Whether the four scalars of the mix are trained. Defaults to True.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        inputs: Strings `(batch, 1)`, as of `keras.Input((1,), dtype="string")`, or
            `(batch,)`.

    Returns:
        `(batch, dimensions)`, the mean of `elmo` over the tokens of each sentence.
        `dimensions` is 1024 for google/elmo.

    Raises:
        FileNotFoundError, ValueError: see `Module`.

    Example:

    >>> text = keras.Input((1,), dtype="string")
    >>> embedding = ElmoEmbeddingLayer("tiny_en")
    >>> embedding(text).shape
    (None, 256)
    """

    def __init__(
        self, spec="https://tfhub.dev/google/elmo/2", trainable=True, **kwargs
    ):
        super().__init__(spec, trainable=trainable, **kwargs)
        self.dimensions = 2 * self.elmo.bilm.projection_dim

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], self.dimensions)
