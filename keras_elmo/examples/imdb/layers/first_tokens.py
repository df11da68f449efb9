from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_elmo.text.tokenizers import split_as_treebank

# A call of TensorFlow's takes as long as splitting many reviews.
_TEXTS_PER_CALL = 512


@keras.saving.register_keras_serializable(package="keras_elmo.examples")
class FirstTokens(keras.layers.Layer):
    """Raw reviews to their first tokens, in the form that `ElmoEmbedding` takes.

    A `<br />` separates tokens like a space.

    Args:
        max_tokens: Tokens of a review to keep, from its beginning.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        texts: Strings `(batch,)`.

    Returns:
        `{"tokens": strings (batch, max_length), "sequence_len": int32 (batch,)}`.

    Example:

    >>> FirstTokens(3)(tf.constant(["Don't go."]))["tokens"].numpy().tolist()
    [[b'Do', b"n't", b'go']]
    """

    def __init__(self, max_tokens, **kwargs):
        super().__init__(**kwargs)
        self.max_tokens = max_tokens
        self.supports_jit = False
        self.built = True

    def call(self, texts):
        tokens = _split(texts, self.max_tokens)
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        # Recurrent layers need a time step, also where all reviews are empty.
        longest = tf.maximum(tf.reduce_max(lengths), 1)
        return {
            "tokens": tokens.to_tensor(shape=tf.stack([-1, longest])),
            "sequence_len": lengths,
        }

    def get_config(self):
        return {**super().get_config(), "max_tokens": self.max_tokens}


def first_tokens(texts: Sequence[str], max_tokens: int) -> list[str]:
    """The first tokens of each text, joined by spaces.

    Example:

    >>> first_tokens(["Don't go.", ""], 3)
    ["Do n't go", '']
    """
    joined: list[str] = []
    for start in range(0, len(texts), _TEXTS_PER_CALL):
        tokens = _split(tf.constant(texts[start : start + _TEXTS_PER_CALL]), max_tokens)
        rows = tf.strings.reduce_join(tokens, axis=1, separator=" ")
        joined += [row.decode("utf-8", errors="replace") for row in rows.numpy()]
    return joined


def _split(texts: tf.Tensor, max_tokens: int) -> tf.RaggedTensor:
    texts = tf.strings.regex_replace(texts, "<br */?>", " ")
    return split_as_treebank(texts)[:, :max_tokens]
