import keras
import tensorflow as tf

from keras_elmo.char_ids import length_mask
from keras_elmo.text.inputs import as_tensors, is_encoded, to_ragged_tokens


@keras.saving.register_keras_serializable(package="keras_elmo")
class TokenMask(keras.layers.Layer):
    """Where `ElmoEmbedding`'s outputs are embeddings of tokens.

    A part of `ElmoEmbedding`. It is a layer because Keras puts what computes a
    mask into functional models, next to the layer whose mask it is.

    Args:
        tokenizer: See `ElmoPreprocessor`.
        sentence_boundaries: Whether integers are between boundaries.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        inputs: Text or integers, see `ElmoEmbedding`.

    Returns:
        Boolean `(batch, max_length)`, True at tokens but the sentence boundaries.

    Example:

    >>> TokenMask()(["a b", "c"]).numpy().tolist()
    [[True, True], [True, False]]
    """

    def __init__(self, tokenizer="space", sentence_boundaries=False, **kwargs):
        super().__init__(**kwargs)
        self.tokenizer = tokenizer
        self.sentence_boundaries = sentence_boundaries
        self.built = True

    def __call__(self, inputs, **kwargs):
        return super().__call__(as_tensors(inputs), **kwargs)

    def call(self, inputs):
        if is_encoded(inputs):
            return length_mask(inputs, self.sentence_boundaries)
        tokens, max_length = to_ragged_tokens(
            inputs, self.tokenizer, sentence_boundaries=False
        )
        return tf.sequence_mask(tokens.row_lengths(), max_length)

    def get_config(self):
        return {
            **super().get_config(),
            "tokenizer": self.tokenizer,
            "sentence_boundaries": self.sentence_boundaries,
        }
