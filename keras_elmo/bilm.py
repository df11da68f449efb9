import weakref

import keras
from keras import ops

from keras_elmo.arguments import check_boolean
from keras_elmo.char_ids import NUM_IDS, gather_tokens, token_mask
from keras_elmo.layers import BiLSTM, CharCNN
from keras_elmo.weights.pretrained import Pretrained
from keras_elmo.weights.settings import check_settings
from keras_elmo.weights.variables import named_variables

_UNDECIDED = "undecided"  # until the first embedding says what to train, or None


@keras.saving.register_keras_serializable(package="keras_elmo")
class BiLM(Pretrained, keras.Model):
    """The bidirectional language model: character ids in, every layer out.

    ```
    char ids -> CharCNN -> word_emb -> BiLSTM -> layer 1, layer 2, ...
    ```

    A call never changes the model. To carry the state of the LSTMs from one
    batch to the next, as bilm-tf and AllenNLP do behind the scenes, ask for it
    with `return_state=True` and pass it on as `initial_state`.

    Written with `keras.ops` alone, it runs on any Keras backend.

    Reference: Peters et al. 2018, section 3.1, arXiv:1802.05365.

    Args:
        filters: See `CharCNN`.
        units: Size of each direction's LSTM memory, see `BiLSTM`.
        projection_dim: Size of the token representation and of each direction's
            output.
        num_layers: Number of biLSTM layers. Defaults to 2, as in every
            published ELMo; so do the next five.
        embedding_dim: Size of a character's embedding. Defaults to 16.
        num_highway_layers: Defaults to 2, see `CharCNN`.
        activation: Of the convolutions. Defaults to `"relu"`.
        cell_clip: Defaults to 3, see `ProjectedLSTM`.
        projection_clip: Defaults to 3, see `ProjectedLSTM`.
        use_skip_connections: Defaults to True, see `BiLSTM`.
        max_characters: Characters of a full token. Defaults to 50.
        num_characters: See `CharCNN`; so are the next two. Other than by default, the
            ids are those of a `keras_elmo.text.token_vocabulary.TokenVocabulary`.
        num_words: Defaults to 0.
        word_embedding_dim: Defaults to 100.
        sentence_boundaries: Whether the model was trained on sentences between
            `<S>` and `</S>`. A `BiLM` takes ids as they are; an
            `ElmoEmbedding` puts the boundaries around its text and removes
            their outputs. Defaults to False.
        return_state: Whether a call returns the final states too. Defaults to
            False.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras model.

    Call arguments:
        inputs: Integers, as one of

            - `(batch, time, characters)`, where 0 means 'no token';
            - `{"char_ids": (batch, time, characters), "sequence_len": (batch,)}`;
            - `{"char_ids": (distinct, characters), "token_index": (batch, time),
              "sequence_len": (batch,)}`: every distinct token once, which is
              faster.

            `ElmoPreprocessor` makes them from text.
        initial_state: See `BiLSTM`; so is `packed`.

    Returns:
        List of `1 + num_layers` tensors in the compute dtype: the context-free
        token representation `(batch, time, projection_dim)`, then the biLSTM's
        layers `(batch, time, 2 * projection_dim)`. They are 0 where there is no
        token. With `return_state=True`, a pair of that list and the list of the
        final states.

    Raises:
        ValueError: if an argument is not as described, or `inputs` is not one of
            the three forms.

    Example:

    >>> import numpy as np
    >>> bilm = BiLM(filters=[[1, 8], [2, 8]], units=16, projection_dim=4)
    >>> [layer.shape for layer in bilm(np.full((2, 3, 50), 261))]
    [TensorShape([2, 3, 4]), TensorShape([2, 3, 8]), TensorShape([2, 3, 8])]
    """

    def __init__(
        self,
        filters,
        units,
        projection_dim,
        num_layers=2,
        embedding_dim=16,
        num_highway_layers=2,
        activation="relu",
        cell_clip=3.0,
        projection_clip=3.0,
        use_skip_connections=True,
        max_characters=50,
        num_characters=NUM_IDS,
        num_words=0,
        word_embedding_dim=100,
        sentence_boundaries=False,
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.char_cnn = CharCNN(
            filters,
            projection_dim,
            embedding_dim=embedding_dim,
            num_highway_layers=num_highway_layers,
            activation=activation,
            max_characters=max_characters,
            num_characters=num_characters,
            num_words=num_words,
            word_embedding_dim=word_embedding_dim,
            dtype=self.dtype_policy,
            name="char_cnn",
        )
        self.bilstm = BiLSTM(
            units,
            projection_dim,
            num_layers=num_layers,
            cell_clip=cell_clip,
            projection_clip=projection_clip,
            use_skip_connections=use_skip_connections,
            return_state=return_state,
            dtype=self.dtype_policy,
            name="bilstm",
        )
        self.filters = self.char_cnn.filters
        self.units = units
        self.projection_dim = projection_dim
        self.num_layers = num_layers
        self.embedding_dim = embedding_dim
        self.num_highway_layers = num_highway_layers
        self.activation = self.char_cnn.activation
        self.cell_clip = self.bilstm.cell_clip
        self.projection_clip = self.bilstm.projection_clip
        self.use_skip_connections = use_skip_connections
        self.max_characters = max_characters
        self.num_characters = num_characters
        self.num_words = num_words
        self.word_embedding_dim = word_embedding_dim
        self.sentence_boundaries = check_boolean(
            "sentence_boundaries", sentence_boundaries
        )
        self.return_state = check_boolean("return_state", return_state)
        self._finetune = _UNDECIDED
        self._num_embeddings = 0
        # The embeddings that train it; it must not keep them alive.
        self._trainers: weakref.WeakSet = weakref.WeakSet()
        # The shapes of variables do not depend on inputs, so they are made at once.
        self.build()

    def serve(self, finetune):
        """Takes on another embedding, all of which agree in `finetune`.

        Raises:
            ValueError: if an earlier embedding has another `finetune`.
        """
        if self._finetune not in (_UNDECIDED, finetune):
            raise ValueError(
                "`finetune` should be the same for all embeddings of one `BiLM`, whose "
                f"weights they share. Received: finetune={finetune!r}, where an "
                f"earlier embedding has {self._finetune!r}. Pass `bilm.copy()` for a "
                "model with weights of its own"
            )
        self._finetune = finetune
        self._num_embeddings += 1

    def serialize(self):
        """As `keras.saving.serialize_keras_object`, and remains one model if shared."""
        serialized = keras.saving.serialize_keras_object(self)
        if self._num_embeddings > 1:
            # By this key, Keras gives the layers of a `.keras` file one object.
            serialized["shared_object_id"] = id(self)
        return serialized

    @property
    def finetuned_variables(self):
        """The variables that `finetune` of its embeddings names."""
        if self._finetune == "lstm":
            return self.bilstm.variables
        return self.variables if self._finetune == "all" else []

    def train_for(self, embedding, is_trained):
        """Sets the flags of its variables for an embedding that is trained or frozen.

        One embedding that is trained suffices. Only the variables that `finetune` names
        are ever trained, whatever flag Keras has passed on to the others.
        """
        (self._trainers.add if is_trained else self._trainers.discard)(embedding)
        finetuned = {id(variable) for variable in self.finetuned_variables}
        for variable in self.variables:
            variable.trainable = bool(self._trainers) and id(variable) in finetuned

    def copy(self, **kwargs):
        """A model with the same weights, as they are now, in variables of its own.

        Args:
            **kwargs: Arguments of `BiLM` to replace, such as `return_state=True`.
        """
        other = type(self).from_config({**self.get_config(), **kwargs})
        other.set_weights(self.get_weights())
        return other

    @classmethod
    def from_stored_model(cls, stored, allow_nan=False, **kwargs):
        """Loads a `keras_elmo.weights.stored_model.StoredModel`: weights of any format.

        Args:
            stored: What one of the readers of `keras_elmo.weights` returned.
            allow_nan: Whether to accept weights that are NaN or infinite. Defaults to
                False.
            **kwargs: Arguments of `BiLM` to replace: `return_state`, `name`,
                `dtype`, `sentence_boundaries`.

        Raises:
            ValueError: if its parts do not belong together. All missing, unexpected,
                mis-shaped and non-finite tensors are named.
        """
        return stored.build(cls, allow_nan, **kwargs)

    def require_bytes(self, name):
        """Refuses a model with a vocabulary, as the argument of this name."""
        if self.num_words or self.num_characters != NUM_IDS:
            sizes = f"{self.num_characters} characters and {self.num_words} words"
            raise ValueError(
                f"`{name}` should be a model that reads the bytes of tokens. Received: "
                f"one with a vocabulary of {sizes}, which `ElmoEmbedding` keeps"
            )

    def settings(self):
        """All but the weights, see `keras_elmo.weights.settings`."""
        self.require_bytes("self")
        return check_settings({"bilm": self.architecture()})

    def bilm_variables(self):
        """The variables by the names of `keras_elmo.weights.tables`."""
        return named_variables(self)

    def architecture(self):
        """The arguments that decide what this model computes: plain values."""
        config = self.get_config()
        for key in ("name", "trainable", "dtype", "return_state"):
            del config[key]
        return config

    def build(self, inputs_shape=None, initial_state_shape=None):
        self.char_cnn.build((None, None, self.char_cnn.ids_per_token))
        self.bilstm.build((None, None, self.projection_dim))

    def call(self, inputs, initial_state=None, packed=None):
        mask = token_mask(inputs)
        if isinstance(inputs, dict):
            word_emb = gather_tokens(self.char_cnn(inputs["char_ids"]), inputs)
        else:
            word_emb = self.char_cnn(inputs)
        # (batch, time, projection_dim)
        word_emb = word_emb * ops.cast(mask, word_emb.dtype)[..., None]
        outputs = self.bilstm(
            word_emb, mask=mask, initial_state=initial_state, packed=packed
        )
        if self.return_state:
            layers, state = outputs
            return [word_emb, *layers], state
        return [word_emb, *outputs]

    def compute_mask(self, inputs, previous_mask=None):
        masks = [token_mask(inputs)] * (1 + self.num_layers)
        if self.return_state:
            return masks, [None] * len(self.bilstm.state_sizes)
        return masks

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "filters": self.filters,
            "units": self.units,
            "projection_dim": self.projection_dim,
            "num_layers": self.num_layers,
            "embedding_dim": self.embedding_dim,
            "num_highway_layers": self.num_highway_layers,
            "activation": keras.activations.serialize(self.activation),
            "cell_clip": self.cell_clip,
            "projection_clip": self.projection_clip,
            "use_skip_connections": self.use_skip_connections,
            "max_characters": self.max_characters,
            "num_characters": self.num_characters,
            "num_words": self.num_words,
            "word_embedding_dim": self.word_embedding_dim,
            "sentence_boundaries": self.sentence_boundaries,
            "return_state": self.return_state,
        }
