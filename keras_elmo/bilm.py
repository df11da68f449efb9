import gc
import weakref

import keras
from keras import ops

from keras_elmo.integers import FORMS, NO_TOKEN, length_mask
from keras_elmo.layers import BiLSTM, CharCNN
from keras_elmo.validation import check_boolean
from keras_elmo.weights import hdf5, preset_folder, tfhub
from keras_elmo.weights.formats import open_module, open_source
from keras_elmo.weights.settings import check_settings
from keras_elmo.weights.variables import named_variables

_EXPECTED = (
    "`(batch, time, characters)`, or a dictionary with the keys "
    "['char_ids', 'sequence_len'] or ['char_ids', 'sequence_len', 'token_index']"
)


@keras.saving.register_keras_serializable(package="keras_elmo")
class BiLM(keras.Model):
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
        initial_state: See `BiLSTM`.

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
        self.sentence_boundaries = check_boolean(
            "sentence_boundaries", sentence_boundaries
        )
        self.return_state = check_boolean("return_state", return_state)
        self.embeddings_served = weakref.WeakSet()
        # No variable depends on the shape of the ids, so why wait for them.
        self.build()

    def join(self, embedding):
        """Notes that `embedding`, an `ElmoEmbedding`, is served by this model.

        Raises:
            ValueError: if another one trains other parts of it.
        """
        served = self.embeddings_served
        if any(other.finetune != embedding.finetune for other in served):
            gc.collect()  # of those that nobody has any more
        for other in served:
            if other.finetune != embedding.finetune:
                raise ValueError(
                    "`finetune` should be the same for all embeddings of one `BiLM`, "
                    f"whose weights they share. Received: {embedding.finetune!r}, "
                    f"where {other.name!r} has {other.finetune!r}"
                )
        served.add(embedding)

    def serialize(self):
        """As `keras.saving.serialize_keras_object`, and remains one if shared."""
        serialized = keras.saving.serialize_keras_object(self)
        if len(self.embeddings_served) > 1:
            # By this key, Keras gives the layers of a `.keras` file one object.
            serialized["shared_object_id"] = id(self)
        return serialized

    @classmethod
    def from_source(cls, source, allow_nan=False, **kwargs):
        """Loads a `keras_elmo.weights.source.Source`: weights of any format.

        Args:
            source: What one of the readers of `keras_elmo.weights` returned.
            allow_nan: Whether to accept weights that are NaN or infinite. Defaults to
                False.
            **kwargs: Arguments of `BiLM` to replace: `return_state`, `name`,
                `dtype`, `sentence_boundaries`.

        Raises:
            ValueError: if its parts do not belong together. All missing, unexpected,
                mis-shaped and non-finite tensors are named.
        """
        return source.build(cls, allow_nan, **kwargs)

    @classmethod
    def from_hdf5(cls, options, weights, **kwargs):
        """Loads the files of AllenNLP, bilm-tf or simple_elmo.

        Args:
            options: Path of `options.json`, or its content as a dictionary.
            weights: Path of `weights.hdf5`.
            **kwargs: See `from_source`. `sentence_boundaries` defaults to True, since
                these implementations train and embed with boundaries.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the files are broken, or do not belong together. All
                missing, unexpected and mis-shaped tensors are named, and none
                is loaded.
        """
        return cls.from_source(hdf5.open_pair(options, weights), **kwargs)

    @classmethod
    def from_tfhub(cls, module, options=None, **kwargs):
        """Loads a module of TF-Hub: google/elmo/1, 2, 3, or one of DeepPavlov's.

        Its checkpoint is read; its graph is not run. Sizes are those of the tensors.

        Args:
            module: Path of the module's folder, or of its .tar.gz; its address, or
                `"google/elmo/2"`. Of a folder, `variables/` suffices.
            options: Path of an `options.json`, or its content, where a module is not
                made as Google's: relu, skip connections, both clips at 3. Defaults to
                None.
            **kwargs: See `from_source`. `sentence_boundaries` defaults to False for
                Google's modules, and to True for DeepPavlov's.

        Raises:
            FileNotFoundError: if there is no such module.
            ValueError: if it is broken, or is no ELMo.
        """
        return cls.from_source(open_module(module, options), **kwargs)

    @classmethod
    def from_preset(cls, preset, **kwargs):
        """Loads a preset, or whatever else holds an ELMo.

        Args:
            preset: `"tiny_en"` or another name of `keras_elmo.presets`; an address of
                one of these; or a path: of what `save_to_preset` wrote, of a TF-Hub
                module, of simple_elmo's folder, of an archive of these, of a
                checkpoint of bilm-tf.
            **kwargs: See `from_source`.

        Raises:
            FileNotFoundError: if there is no such preset.
            ValueError: if its files are broken, or do not belong together.

        Example:

        >>> bilm = BiLM.from_preset("tiny_en", return_state=True)
        >>> bilm.num_layers, bilm.units, bilm.projection_dim
        (2, 512, 128)
        """
        return cls.from_source(open_source(preset), **kwargs)

    def to_hdf5(self, options, weights):
        """Writes the files that `from_hdf5` reads, each whole or not at all.

        What the format has no place for, and its other readers do not know, is put
        under `keras_elmo` in the options: sentence boundaries, if there are none.

        Args:
            options: Path of the `options.json` to write.
            weights: Path of the `weights.hdf5` to write.

        Raises:
            ValueError: if the model has an activation that the format lacks.
        """
        hdf5.write_pair(options, weights, self.settings(), named_variables(self))

    def to_tfhub(self, folder):
        """Writes a checkpoint of TensorFlow 1 that `from_tfhub` reads.

        What it has no place for goes into `keras_elmo.json` beside it, if it is not as
        in Google's modules.

        Args:
            folder: Where to write it: new, empty, or such a folder to replace.

        Raises:
            ValueError: if `folder` holds something else.
        """
        tfhub.write_folder(folder, self.settings(), named_variables(self))

    def save_to_preset(self, folder, metadata=None, dtype="float32"):
        """Writes the folder that `from_preset` reads, whole or not at all.

        Args:
            folder: Where to write it: new, empty, or a preset to replace.
            metadata: Dictionary of what is worth knowing about the weights, such
                as data and licence, for `metadata.json`. Defaults to None.
            dtype: To which to round the weights: `"float32"` (default), `"float16"`
                or `"bfloat16"`, which halve the file.

        Raises:
            ValueError: if `folder` holds something else, or for another dtype.
        """
        config = {**self.settings(), "metadata": metadata or {}}
        with preset_folder.writing(folder) as temporary:
            preset_folder.write(temporary, config, named_variables(self), dtype)

    def settings(self):
        """All but the weights, see `keras_elmo.weights.settings`."""
        return check_settings({"bilm": self.architecture()})

    def architecture(self):
        """The arguments that decide what this model computes: plain values."""
        config = self.get_config()
        for key in ("name", "trainable", "dtype", "return_state"):
            del config[key]
        return config

    def build(self, inputs_shape=None, initial_state_shape=None):
        self.char_cnn.build((None, None, self.max_characters))
        self.bilstm.build((None, None, self.projection_dim))

    def call(self, inputs, initial_state=None):
        char_ids, token_index, mask = _unpack(inputs)
        word_emb = self.char_cnn(char_ids)
        if token_index is not None:
            word_emb = ops.take(word_emb, ops.cast(token_index, "int32"), axis=0)
        # (batch, time, projection_dim)
        word_emb = word_emb * ops.cast(mask, word_emb.dtype)[..., None]
        outputs = self.bilstm(word_emb, mask=mask, initial_state=initial_state)
        if self.return_state:
            layers, state = outputs
            return [word_emb, *layers], state
        return [word_emb, *outputs]

    def compute_mask(self, inputs, previous_mask=None):
        _, _, mask = _unpack(inputs)
        masks = [mask] * (1 + self.num_layers)
        if self.return_state:
            return masks, [None] * 4 * self.num_layers
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
            "sentence_boundaries": self.sentence_boundaries,
            "return_state": self.return_state,
        }


def _unpack(inputs):
    """Any of the three forms as char ids, index of distinct tokens, and mask."""
    if not isinstance(inputs, dict):
        if len(inputs.shape) != 3:
            raise ValueError(
                f"`inputs` should be {_EXPECTED}. Received: a tensor of shape "
                f"{tuple(inputs.shape)}"
            )
        return inputs, None, inputs[..., 0] != NO_TOKEN
    if set(inputs) not in FORMS:
        raise ValueError(
            f"`inputs` should be {_EXPECTED}. Received: keys {sorted(inputs)}"
        )
    return inputs["char_ids"], inputs.get("token_index"), length_mask(inputs)
