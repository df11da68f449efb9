import functools
import operator

import keras
from keras import ops

from keras_elmo.arguments import (
    check_activation,
    check_filters,
    check_positive_integer,
)
from keras_elmo.char_ids import NO_TOKEN, NUM_IDS, PADDING
from keras_elmo.layers.highway import Highway


@keras.saving.register_keras_serializable(package="keras_elmo")
class CharCNN(keras.layers.Layer):
    """ELMo's context-free token encoder: character ids in, one vector a token.

    Embeds the characters, runs one convolution per width, takes each filter's
    maximum over the token, applies the activation, then the highway layers and
    a linear projection:

    ```
    char ids -> Embedding -> Conv1D (each width) -> max -> activation
             -> concatenate -> Highway * num_highway_layers -> Dense
    ```

    The maximum runs over the padding characters of a token too, because that
    is what the published weights were trained with. A token may nevertheless
    be given with fewer than `max_characters` ids: it is padded with just as
    many as make no difference to the result. That is how a batch of short
    words is encoded in a fraction of the time.

    ELMoForManyLangs puts the embedding of the word beside what the characters
    give, in front of the projection. With `num_words`, so does this layer, and
    the first id of a token is that of the word.

    Reference: Peters et al. 2018, section 3.4, after Kim et al. 2016,
    arXiv:1508.06615; arithmetic as in bilm-tf (`bilm/model.py`,
    `_build_word_char_embeddings`).

    Args:
        filters: List of `[width, number of filters]` pairs, one a convolution.
        projection_dim: Size of the output vector. The projection exists only
            where the filters do not already add up to this number.
        embedding_dim: Size of a character's embedding. Defaults to 16, as in
            every published ELMo.
        num_highway_layers: Defaults to 2; the smaller published models have 1.
        activation: Activation of the convolutions, defaults to `"relu"`.
        max_characters: Characters of a full token, its two boundary ids
            included. Defaults to 50.
        num_characters: Number of distinct ids, 0 included. Defaults to 262:
            256 bytes, 5 special ids, and 0 for 'no token'.
        num_words: Number of words that have an embedding. Their ids are from 1
            on. Defaults to 0: a token is represented by its characters alone.
        word_embedding_dim: Size of a word's embedding. Defaults to 100, as in
            ELMoForManyLangs.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Input shape: `(..., characters)` integers in `0..num_characters - 1`, with
    `characters <= max_characters`; or `(..., 1 + characters)` with `num_words`,
    the first in `0..num_words`. A position whose first id is 0 holds no token.

    Output shape: `(..., projection_dim)`, the layer's compute dtype; exactly
    0 where there is no token. The mask is True where there is a token.

    Raises:
        ValueError: if an argument is not as described, or the input is not of
            integers or has more than `max_characters` of them.

    Example:

    >>> import numpy as np
    >>> encoder = CharCNN(filters=[[1, 8], [2, 8]], projection_dim=12)
    >>> char_ids = np.full((2, 3, 50), 261)
    >>> encoder(char_ids).shape
    TensorShape([2, 3, 12])
    """

    def __init__(
        self,
        filters,
        projection_dim,
        embedding_dim=16,
        num_highway_layers=2,
        activation="relu",
        max_characters=50,
        num_characters=NUM_IDS,
        num_words=0,
        word_embedding_dim=100,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_characters = check_positive_integer("max_characters", max_characters)
        self.filters = check_filters("filters", filters, max_characters)
        self.projection_dim = check_positive_integer("projection_dim", projection_dim)
        self.embedding_dim = check_positive_integer("embedding_dim", embedding_dim)
        if num_highway_layers != 0:
            check_positive_integer("num_highway_layers", num_highway_layers)
        self.num_highway_layers = num_highway_layers
        self.activation = check_activation("activation", activation)
        self.num_characters = check_positive_integer("num_characters", num_characters)
        if num_characters < NUM_IDS:
            raise ValueError(
                f"`num_characters` should be at least {NUM_IDS}, so that the special "
                f"ids are among them. Received: num_characters={num_characters}"
            )
        if num_words != 0:
            check_positive_integer("num_words", num_words)
        self.num_words = num_words
        self.word_embedding_dim = check_positive_integer(
            "word_embedding_dim", word_embedding_dim
        )
        self.ids_per_token = max_characters + bool(num_words)
        self.supports_masking = True

        self.embedding = keras.layers.Embedding(
            num_characters,
            embedding_dim,
            embeddings_initializer=keras.initializers.RandomUniform(-1.0, 1.0),
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.convolutions = [
            keras.layers.Conv1D(
                count, width, dtype=self.dtype_policy, name=f"convolution_{width}"
            )
            for width, count in self.filters
        ]
        self.highways = [
            Highway(dtype=self.dtype_policy, name=f"highway_{index}")
            for index in range(num_highway_layers)
        ]
        self.word_embedding = None
        if num_words:
            self.word_embedding = keras.layers.Embedding(
                1 + num_words,
                word_embedding_dim,
                dtype=self.dtype_policy,
                name="word_embedding",
            )
        self.projection = None
        if self._num_features != projection_dim:
            self.projection = keras.layers.Dense(
                projection_dim, dtype=self.dtype_policy, name="projection"
            )

    def build(self, inputs_shape):
        self.embedding.build((None, None))
        for convolution in self.convolutions:
            convolution.build((None, None, self.embedding_dim))
        num_filters = sum(count for _, count in self.filters)
        for highway in self.highways:
            highway.build((None, num_filters))
        if self.word_embedding is not None:
            self.word_embedding.build((None,))
        if self.projection is not None:
            self.projection.build((None, self._num_features))

    @property
    def _num_features(self):
        """The size of what is projected."""
        num_filters = sum(count for _, count in self.filters)
        return num_filters + (self.word_embedding_dim if self.num_words else 0)

    def call(self, inputs):
        self._check_inputs(inputs)
        *outer_shape, characters = ops.shape(inputs)
        # The product is given, because -1 would leave an empty batch undecided.
        num_tokens = functools.reduce(operator.mul, outer_shape, 1)
        char_ids = ops.reshape(inputs, (num_tokens, characters))
        # A row is added, because TensorFlow's convolution fails on an empty batch.
        char_ids = ops.pad(char_ids, [(0, 1), (0, 0)])
        is_token = char_ids[:, :1] != NO_TOKEN  # (tokens, 1)
        if self.word_embedding is not None:
            word_ids, char_ids = char_ids[:, 0], char_ids[:, 1:]
        characters = self.embedding(self._pad(char_ids))
        maxima = [  # of (tokens, count)
            self.activation(ops.max(convolution(characters), axis=1))
            for convolution in self.convolutions
        ]
        outputs = ops.concatenate(maxima, axis=-1)  # (tokens, number of filters)
        for highway in self.highways:
            outputs = highway(outputs)
        if self.word_embedding is not None:
            outputs = ops.concatenate([self.word_embedding(word_ids), outputs], axis=-1)
        if self.projection is not None:
            outputs = self.projection(outputs)
        outputs = (outputs * ops.cast(is_token, outputs.dtype))[:-1]
        return ops.reshape(outputs, (*outer_shape, self.projection_dim))

    def _pad(self, char_ids):
        """Appends what separates a short token from a full one: one window of
        nothing but padding per convolution, unless `max_characters` is nearer.
        """
        if char_ids.shape[-1] == self.max_characters:
            return char_ids
        widest = max(width for width, _ in self.filters)
        padded = ops.pad(char_ids, [(0, 0), (0, widest)], constant_values=PADDING)
        return padded[:, : self.max_characters]

    def _check_inputs(self, inputs):
        if "int" not in keras.backend.standardize_dtype(inputs.dtype):
            raise ValueError(
                "`inputs` should be character ids (integers); `ElmoPreprocessor` "
                f"makes them from text. Received: inputs of dtype {inputs.dtype}"
            )
        characters = inputs.shape[-1]
        if characters is not None and characters > self.ids_per_token:
            raise ValueError(
                "`inputs` should have at most `max_characters` ids a token, and one of "
                f"its word with `num_words` ({self.ids_per_token}). Received: inputs "
                f"of shape {inputs.shape}"
            )

    def compute_mask(self, inputs, previous_mask=None):
        return inputs[..., 0] != NO_TOKEN

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.projection_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "projection_dim": self.projection_dim,
            "embedding_dim": self.embedding_dim,
            "num_highway_layers": self.num_highway_layers,
            "activation": keras.activations.serialize(self.activation),
            "max_characters": self.max_characters,
            "num_characters": self.num_characters,
            "num_words": self.num_words,
            "word_embedding_dim": self.word_embedding_dim,
        }
