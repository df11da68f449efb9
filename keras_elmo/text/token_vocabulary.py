from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.char_ids import NUM_IDS, SENTENCE_BEGIN, SENTENCE_END
from keras_elmo.text.encode import between_token_boundaries
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD

UNKNOWN, BEGIN, END = "<oov>", "<bos>", "<eos>"
_NOT_THERE = "\0"  # no word should be this one
_NUM_BYTES = 256  # ids before the special ones


@keras.saving.register_keras_serializable(package="keras_elmo")
class TokenVocabulary(keras.layers.Layer):
    """Characters, and words, of a model that was not trained on bytes.

    The models of ELMoForManyLangs know the characters of their language, and some
    words beside them. This layer makes the ids that such a model takes in place of
    those of bytes. A character or a word that is not listed is an unknown one.

    Reference: Che et al. 2018, K18-2005; ids as in ELMoForManyLangs
    (`elmoformanylangs/frontend.py`, `create_one_batch`), in another order.

    Args:
        characters: String of all characters, each once.
        words: List of all words, each once, `"<oov>"`, `"<bos>"` and `"<eos>"` among
            them: what stands for an unknown word, and for the two boundaries of a
            sentence. Defaults to None: a model without embeddings of words.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        tokens: Strings `(tokens,)`, in UTF-8; bytes that are none are U+FFFD.
        characters: Ids of a token's characters, at least 3. Longer tokens are cut to
            `characters - 2` characters.

    Returns:
        int32 `(tokens, characters)`; or `(tokens, 1 + characters)` with `words`, first
        the number of the word.

    Raises:
        ValueError: if `characters` or `words` are not as described.

    Example:

    >>> vocabulary = TokenVocabulary("abc")
    >>> vocabulary(tf.constant(["ab", "x"]), characters=4).numpy().tolist()
    [[259, 1, 2, 260], [259, 4, 260, 261]]
    """

    def __init__(self, characters, words=None, **kwargs):
        super().__init__(**kwargs)
        self.characters = _check_characters(characters)
        self.words = None if words is None else _check_words(words)
        codes = np.array([ord(character) for character in characters], "int32")
        order = np.argsort(codes)
        self._codes = codes[order]
        self._ids = character_ids(len(codes))[order]
        *_, self._unknown = character_ids(len(codes) + 1).tolist()
        self.lookup = None
        if self.words is not None:
            self._unknown_word = 1 + self.words.index(UNKNOWN)
            # Keras puts the table of a layer of its own into every SavedModel.
            self.lookup = keras.layers.StringLookup(
                vocabulary=self.words, oov_token=_NOT_THERE, name="lookup"
            )
        self.built = True

    @classmethod
    def of_argument(cls, vocabulary):
        """The vocabulary that an argument `token_vocabulary` gives, or None.

        Args:
            vocabulary: A `TokenVocabulary`, a dictionary of its arguments, or None.

        Raises:
            ValueError: if it is something else.
        """
        if isinstance(vocabulary, Mapping):
            if not set(vocabulary) <= {"characters", "words"}:
                raise ValueError(
                    "`token_vocabulary` should hold 'characters' and 'words'. "
                    f"Received: {sorted(map(str, vocabulary))}"
                )
            vocabulary = cls(**{"characters": None, **vocabulary})
        if not isinstance(vocabulary, cls | None):
            raise ValueError(
                "`token_vocabulary` should be a `TokenVocabulary`, a dictionary of its "
                f"arguments, or None. Received: {str(vocabulary)[:100]}"
            )
        return vocabulary

    @classmethod
    def of_model(cls, vocabulary, bilm):
        """The vocabulary of a `BiLM`, or None of one that takes bytes.

        Args:
            vocabulary: See `of_argument`.
            bilm: The `BiLM`.

        Raises:
            ValueError: if these do not belong together.
        """
        vocabulary = cls.of_argument(vocabulary)
        needed = (bilm.num_characters, bilm.num_words)
        given = (NUM_IDS, 0)
        if vocabulary is not None:
            given = (vocabulary.num_characters, vocabulary.num_words)
        if given != needed:
            raise ValueError(
                f"`token_vocabulary` should have the {needed[0]} characters and "
                f"{needed[1]} words of `bilm`. Received: {given[0]} and {given[1]} "
                f"({'bytes' if vocabulary is None else 'a vocabulary'}). Give the one "
                "that the model was trained with"
            )
        return vocabulary

    @classmethod
    def of_stored_model(cls, stored, bilm):
        """The vocabulary that is stored with a `BiLM`, or None of one that takes bytes.

        Args:
            stored: A `keras_elmo.weights.stored_model.StoredModel`.
            bilm: Its `BiLM`.

        Raises:
            ValueError: if these do not belong together.
        """
        return cls.of_model(stored.embedding.get("token_vocabulary"), bilm)

    @property
    def num_characters(self):
        """How many ids of characters there are, see `CharCNN`."""
        # It is one more than of bytes at least, since the number tells the two apart.
        return max(NUM_IDS + 1, 1 + self._unknown)

    @property
    def num_words(self):
        """How many words there are."""
        return 0 if self.words is None else len(self.words)

    @property
    def table(self):
        """TensorFlow's table of the words, or None if there are none."""
        return None if self.lookup is None else self.lookup.lookup_table

    def call(self, tokens, characters):
        codes = tf.strings.unicode_decode(tokens, "UTF-8", errors="replace")
        codes = codes[:, : characters - 2]
        begins, ends = tokens == BEGIN_WORD, tokens == END_WORD
        count = tf.cast(codes.row_lengths(), tf.int32)
        content = codes.with_flat_values(self._look_up(codes.flat_values))
        content = content.to_tensor(shape=tf.stack([-1, characters - 2]))
        content = tf.where(begins[:, None], SENTENCE_BEGIN, content)
        content = tf.where(ends[:, None], SENTENCE_END, content)
        ids = between_token_boundaries(
            content, tf.where(begins | ends, 1, count), characters
        )
        if self.lookup is None:
            return ids
        # A word is looked up as far as its characters count.
        words = tf.strings.unicode_encode(codes, "UTF-8", errors="replace")
        words = tf.where(begins, BEGIN, tf.where(ends, END, words))
        numbers = tf.cast(self.lookup(words), tf.int32)
        numbers = tf.where(numbers == 0, self._unknown_word, numbers)
        return tf.concat([numbers[:, None], ids], axis=1)

    def get_config(self):
        return {**super().get_config(), **self.settings()}

    def settings(self):
        """What a preset stores."""
        return {"characters": self.characters, "words": self.words}

    def _look_up(self, codes):
        """The ids of code points, without a table that would have to be saved."""
        place = tf.searchsorted(self._codes, codes)
        place = tf.minimum(place, len(self._codes) - 1)
        is_known = tf.gather(self._codes, place) == codes
        return tf.where(is_known, tf.gather(self._ids, place), self._unknown)


def character_ids(count):
    """The ids of the first characters of a vocabulary, see `keras_elmo.char_ids`.

    Example:

    >>> character_ids(258)[[0, 255, 256, 257]].tolist()
    [1, 256, 262, 263]
    """
    ids = np.arange(1, 1 + count, dtype="int32")
    return np.where(ids <= _NUM_BYTES, ids, ids + NUM_IDS - _NUM_BYTES - 1)


def _check_characters(characters):
    is_text = isinstance(characters, str) and characters
    if not is_text or len(set(characters)) < len(characters):
        raise ValueError(
            "`characters` should be a string of different characters, one at least. "
            f"Received: characters={str(characters)[:100]!r}"
        )
    return characters


def _check_words(words):
    # Keras would read a string as the path or address of a vocabulary.
    is_list = isinstance(words, list | tuple)
    if not is_list or not all(isinstance(word, str) for word in words):
        raise ValueError(
            f"`words` should be a list of strings. Received: {str(words)[:100]}"
        )
    missing = {UNKNOWN, BEGIN, END} - set(words)
    if missing or len(set(words)) < len(words) or _NOT_THERE in words:
        raise ValueError(
            f"`words` should be different, and {UNKNOWN}, {BEGIN} and {END} among "
            f"them. Received: {len(words)} words, {len(set(words))} of them different, "
            f"without {sorted(missing) or 'none of these'}"
        )
    return list(words)
