import keras

from keras_elmo.inputs import as_tensors, is_integers
from keras_elmo.integers import length_mask


@keras.saving.register_keras_serializable(package="keras_elmo")
class TokenMask(keras.layers.Layer):
    """Where `ElmoEmbedding`'s outputs are embeddings of tokens.

    A part of `ElmoEmbedding`. It is a layer because Keras puts what computes a
    mask into functional models, next to the layer whose mask it is.

    Args:
        preprocessor: The `ElmoPreprocessor` of the embedding.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        inputs: Text or integers, see `ElmoEmbedding`.

    Returns:
        Boolean `(batch, max_length)`, True at tokens but the sentence boundaries.

    Example:

    >>> from keras_elmo import ElmoPreprocessor
    >>> TokenMask(ElmoPreprocessor())(["a b", "c"]).numpy().tolist()
    [[True, True], [True, False]]
    """

    def __init__(self, preprocessor, **kwargs):
        super().__init__(**kwargs)
        self.preprocessor = preprocessor
        self.built = True

    def __call__(self, inputs, **kwargs):
        return super().__call__(as_tensors(inputs), **kwargs)

    def call(self, inputs):
        integers = inputs if is_integers(inputs) else self.preprocessor(inputs)
        return length_mask(integers, self.preprocessor.sentence_boundaries)

    def get_config(self):
        preprocessor = keras.saving.serialize_keras_object(self.preprocessor)
        return {**super().get_config(), "preprocessor": preprocessor}

    @classmethod
    def from_config(cls, config):
        preprocessor = keras.saving.deserialize_keras_object(config["preprocessor"])
        return cls(**{**config, "preprocessor": preprocessor})
