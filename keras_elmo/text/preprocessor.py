import keras
import tensorflow as tf

from keras_elmo.arguments import (
    check_boolean,
    check_choice,
    check_positive_integer,
)
from keras_elmo.text.encode import encode, encode_distinct
from keras_elmo.text.inputs import longest_row, to_ragged_tokens
from keras_elmo.text.text_layer import TextLayer
from keras_elmo.text.token_vocabulary import TokenVocabulary
from keras_elmo.text.tokenizers import TOKENIZERS


@keras.saving.register_keras_serializable(package="keras_elmo")
class ElmoPreprocessor(TextLayer):
    """Text to the integers that `BiLM` and `ElmoEmbedding` take in its place.

    Meant for `tf.data.Dataset.map`: what comes out holds no string, so the
    model that takes it can be compiled by XLA or distributed as a whole.

    A token is its UTF-8 bytes, cut to `max_characters - 2`, between two
    boundary ids and padded; every id is one more than in the reference code, so
    that 0 can mean 'no token here'. The words `<S>` and `</S>` are the sentence
    boundaries. Bytes that are no UTF-8 are bytes like any other, but for the
    tokenizer `"unicode_script"`, which makes them U+FFFD.

    Reference: bilm-tf (`bilm/data.py`, `UnicodeCharsVocabulary`).

    Args:
        tokenizer: How sentences are split: `"space"` (default) on single
            spaces, as TF-Hub's ELMo; `"whitespace"` on Unicode white space;
            `"unicode_script"` on white space and between scripts, which sets
            punctuation apart; it needs tensorflow-text; `"treebank"` raw English
            nearly as the Penn Treebank, which English models were trained on.
        max_characters: Ids of a token, at least 3. Defaults to 50, as in every
            published ELMo.
        sentence_boundaries: Whether to put `<S>` and `</S>` around each
            sentence; `sequence_len` counts them. Defaults to False.
        distinct: Whether to return every distinct token once (see below).
            Defaults to False.
        token_vocabulary: See `ElmoEmbedding`. Where it has words, a token has an id
            more. Defaults to None: bytes.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        inputs: One of

            - strings `(batch,)` or `(batch, 1)`: sentences; or one sentence
              `()`, for `map` before batching;
            - `{"tokens": strings (batch, max_length), "sequence_len": integers
              (batch,)}`; or one row of it;
            - a string `RaggedTensor` `(batch, None)`, or a list of lists, of tokens.

    Returns:
        A dictionary of int32 tensors. `max_length` is at least 1 for sentences.

        - `distinct=False`: `{"char_ids": (batch, max_length, max_characters),
          "sequence_len": (batch,)}`, without `batch` for one sentence;
        - `distinct=True`: `{"char_ids": (distinct, characters), "token_index":
          (batch, max_length), "sequence_len": (batch,)}`. Row 0 of `char_ids`
          is 'no token', and `characters` is what the longest token needs.

    Raises:
        ValueError: if an argument is not as described.
        tf.errors.InvalidArgumentError: in a graph, if a `sequence_len` is
            outside `0..max_length`.

    Example:

    >>> preprocessor = ElmoPreprocessor(max_characters=6)
    >>> preprocessor(["a b", "c"])["char_ids"][:, :, 1].numpy().tolist()
    [[98, 99], [100, 0]]
    >>> dataset = tf.data.Dataset.from_tensors(["a b", "c"]).map(preprocessor)
    >>> dataset.element_spec["char_ids"].shape
    TensorShape([2, None, 6])
    """

    def __init__(
        self,
        tokenizer="space",
        max_characters=50,
        sentence_boundaries=False,
        distinct=False,
        token_vocabulary=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_choice("tokenizer", tokenizer, tuple(TOKENIZERS))
        check_positive_integer("max_characters", max_characters)
        if max_characters < 3:
            raise ValueError(
                "`max_characters` should leave room for a byte between the two "
                f"boundary ids, 3. Received: max_characters={max_characters}"
            )
        self.tokenizer = tokenizer
        self.max_characters = max_characters
        self.sentence_boundaries = check_boolean(
            "sentence_boundaries", sentence_boundaries
        )
        self.distinct = check_boolean("distinct", distinct)
        self.token_vocabulary = TokenVocabulary.of_argument(token_vocabulary)
        # XLA has no strings, so no model with this layer compiles as a whole.
        self.supports_jit = False
        self.built = True

    def call(self, inputs):
        if not self.distinct and _is_one_sentence(inputs):
            batch = tf.nest.map_structure(lambda tensor: tensor[None], inputs)
            return tf.nest.map_structure(lambda tensor: tensor[0], self.call(batch))
        tokens, max_length = to_ragged_tokens(
            inputs, self.tokenizer, self.sentence_boundaries
        )
        if max_length is None:
            max_length = longest_row(tokens, self.sentence_boundaries)
        elif self.sentence_boundaries:
            max_length = max_length + 2
        encode_batch = encode_distinct if self.distinct else encode
        return encode_batch(
            tokens, max_length, self.max_characters, self.token_vocabulary
        )

    def get_config(self):
        return {
            **super().get_config(),
            "tokenizer": self.tokenizer,
            "max_characters": self.max_characters,
            "sentence_boundaries": self.sentence_boundaries,
            "distinct": self.distinct,
            "token_vocabulary": keras.saving.serialize_keras_object(
                self.token_vocabulary
            ),
        }

    @classmethod
    def from_config(cls, config):
        vocabulary = config.get("token_vocabulary")
        vocabulary = keras.saving.deserialize_keras_object(vocabulary)
        return cls(**{**config, "token_vocabulary": vocabulary})


def _is_one_sentence(inputs):
    if isinstance(inputs, dict):
        tokens = inputs.get("tokens")
        return tokens is not None and tokens.shape.rank == 1
    return inputs.shape.rank == 0
