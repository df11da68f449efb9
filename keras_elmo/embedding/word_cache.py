import keras
import numpy as np
import tensorflow as tf

from keras_elmo.text.encode import to_char_ids

_BATCH = 1024  # tokens
_UNKNOWN = "\0"  # no word should be this one


@keras.saving.register_keras_serializable(package="keras_elmo")
class WordCache(keras.layers.Layer):
    """The `word_emb` of a list of words, looked up in place of being computed.

    A part of `ElmoEmbedding`. Where the distinct tokens of a batch are split into
    known and unknown ones, only the latter go through the character CNN.

    Reference: bilm-tf's `dump_token_embeddings` and AllenNLP's `vocab_to_cache`, which
    fail on other words.

    Args:
        words: The words; of those that are there twice, the first counts.
        projection_dim: Size of their vectors.
        max_characters: Ids of a full token.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Raises:
        ValueError: if `words` are no strings, or none.

    Call arguments:
        tokens: Strings `(distinct,)`.

    Returns:
        The row of each token's vector in `self.word_emb`, int32 `(distinct,)`; -1 for
        an unknown one.

    Example:

    >>> cache = WordCache(["the", "cat"], projection_dim=4, max_characters=50)
    >>> cache(tf.constant(["cat", "dog"])).numpy().tolist()
    [1, -1]
    """

    def __init__(self, words, projection_dim, max_characters, **kwargs):
        super().__init__(**kwargs)
        self.words = _check_words(words)
        self.projection_dim = projection_dim
        self.max_characters = max_characters
        # Keras puts the table of a layer of its own into every SavedModel.
        self.lookup = keras.layers.StringLookup(
            vocabulary=self.words, oov_token=_UNKNOWN, name="lookup"
        )
        self.word_emb = self.add_weight(
            name="word_emb",
            shape=(len(self.words), projection_dim),
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    @classmethod
    def of_words(cls, words, bilm, finetune, token_vocabulary=None):
        """The cache of a `BiLM`'s vectors of `words`.

        Args:
            words: List of strings, or a `WordCache`, which is returned, or None.
            bilm: The `BiLM`.
            finetune: What will be trained of it.
            token_vocabulary: The `TokenVocabulary` of `bilm`, or None.

        Raises:
            ValueError: if `words` are no strings, or all of `bilm` will be trained.
        """
        if words is None:
            return None
        cache = words
        if not isinstance(words, WordCache):
            sizes = bilm.projection_dim, bilm.max_characters
            cache = cls(words, *sizes, dtype=bilm.dtype_policy)
            cache.fill(bilm.char_cnn, token_vocabulary)
        if finetune == "all":
            raise ValueError(
                '`cached_words` can\'t be used with `finetune="all"`, which changes '
                f"what they are computed by. Received: {len(cache.words)} words"
            )
        return cache

    def call(self, tokens):
        return tf.cast(self.lookup(tokens), tf.int32) - 1

    @property
    def table(self):
        """TensorFlow's table of the words, which what is exported has to hold."""
        return self.lookup.lookup_table

    def named_variables(self):
        """The variables by name, for files."""
        return {"word_emb": self.word_emb}

    def get_config(self):
        return {
            **super().get_config(),
            "words": self.words,
            "projection_dim": self.projection_dim,
            "max_characters": self.max_characters,
        }

    def fill(self, char_cnn, token_vocabulary=None):
        """Computes the vectors, by the character CNN that is to be spared."""
        self.word_emb.assign(
            encode_words(self.words, char_cnn, self.max_characters, token_vocabulary)
        )


def encode_words(words, char_cnn, max_characters, token_vocabulary=None):
    """The vectors of words, by the character CNN of a `BiLM`.

    Args:
        words: List of strings or byte strings, one at least.
        char_cnn: The `CharCNN`.
        max_characters: Ids of a full token.
        token_vocabulary: That of the `BiLM`. Defaults to None.

    Returns:
        Array `(words, projection_dim)` in the compute dtype.
    """
    vectors = []
    for start in range(0, len(words), _BATCH):
        chunk = tf.constant(words[start : start + _BATCH], tf.string)
        ids = to_char_ids(chunk, max_characters, token_vocabulary)
        vectors.append(np.asarray(char_cnn(ids)))
    return np.concatenate(vectors)


def _check_words(words):
    words = [words] if isinstance(words, str) else list(words)
    if not words or not all(isinstance(word, str) for word in words):
        raise ValueError(
            "`cached_words` should be a list of strings, one at least. Received: "
            f"{words[:5]!r}"
        )
    return list(dict.fromkeys(words))
