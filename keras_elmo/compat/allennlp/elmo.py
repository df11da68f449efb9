import warnings

import keras
import tensorflow as tf
from keras import ops

from keras_elmo.arguments import check_boolean, check_positive_integer, check_rate
from keras_elmo.bilm import BiLM
from keras_elmo.char_ids import length_mask
from keras_elmo.compat.allennlp.arguments import check_clashes, check_mix
from keras_elmo.compat.allennlp.batch_bilm import BatchBiLM
from keras_elmo.compat.allennlp.encoded import (
    as_integers,
    between_boundaries,
    of_cached_words,
    rows_of,
)
from keras_elmo.compat.allennlp.files import open_files
from keras_elmo.compat.batch_states import BatchStates
from keras_elmo.embedding.encoded_inputs import encode_inputs
from keras_elmo.embedding.requirements import check_dtype, require_tensorflow_2
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.layers import AttachMask, ScalarMix
from keras_elmo.weights.keywords import check_keywords


@keras.saving.register_keras_serializable(package="keras_elmo", name="AllenNLPElmo")
class Elmo(keras.layers.Layer):
    """AllenNLP's `Elmo`: character ids in, several mixes of one biLM out.

    It differs from AllenNLP's in what follows, and in nothing else:

    - Every call starts from zeros, unless `stateful=True`.
    - Dropout acts in `fit`, or if `training=True`, as in all Keras layers; a module of
      PyTorch is in training mode until its `eval()` is called.
    - Models without skip connections, or without a projection, can be loaded too.
    - `vocab_to_cache`: words that were not cached are computed from their characters
      one by one, where AllenNLP computes the whole batch from its characters. It can't
      be combined with `requires_grad`, of which AllenNLP warns.
    - With both `do_layer_norm` and `keep_sentence_boundaries`, padding is 0.

    Reference: Peters et al. 2018, arXiv:1802.05365; AllenNLP
    (`allennlp/modules/elmo.py`).

    Args:
        options_file: Path or address of `options.json`. It may also be a name, alone,
            such as `"allennlp/original"`, or whatever `ElmoEmbedding.from_preset`
            takes. Defaults to None, with which `tiny_en` is loaded, and said.
        weight_file: Path or address of `weights.hdf5`. Defaults to None.
        num_output_representations: How many mixes to return, each with weights of its
            own. Defaults to 1.
        requires_grad: Whether to train the biLM, all of it, besides the mixes. Defaults
            to False.
        do_layer_norm: Whether the mixes normalise each layer over the batch, `<S>` and
            `</S>` included. An embedding then depends on its batch. Defaults to False.
        dropout: Rate of the dropout on each representation. Defaults to 0.5.
        vocab_to_cache: List of words whose `word_emb` is computed here, and looked up
            by `word_inputs`. Their place is their number; the first one stands for
            padding. Defaults to None.
        keep_sentence_boundaries: Whether the representations of `<S>` and `</S>` are
            not removed. Defaults to False.
        scalar_mix_parameters: List of numbers, one a layer: the weights of all mixes
            before the softmax, which are not trained then; nor is the scaling.
            Defaults to None, for zeros, which are trained.
        module: A `BiLM` to use in place of files; it may serve several layers, which
            have to agree in `requires_grad` then. Defaults to None.
        stateful: Whether each row of a batch starts from where the same row of the last
            batch ended, as always in AllenNLP, in `fit` and `predict` too; see
            `BatchStates` and `reset_states`. Defaults to False.
        **kwargs: `name`, `dtype`, `trainable`, as for any Keras layer.

    Call arguments:
        inputs: Integers `(batch, tokens, 50)`, or with more axes ahead of these, as
            `batch_to_ids` makes them: an array, or a tensor of TensorFlow or PyTorch.
        word_inputs: Integers `(batch, tokens)`, numbers of words of `vocab_to_cache`.
            Defaults to None: all are computed from their characters.
        training: Whether dropout acts.

    Returns:
        A dictionary:

        - `"elmo_representations"`: list of `num_output_representations` tensors
          `(batch, tokens, 2 * projection_dim)` in the compute dtype, 0 where there is
          no token, each with a Keras mask;
        - `"mask"`: boolean `(batch, tokens)`, True where there is a token.

        With `keep_sentence_boundaries`, there are `tokens + 2` positions.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if an argument is not as described; if two of them clash; if files
            are broken.

    Example:

    >>> from keras_elmo.compat.allennlp import Elmo, batch_to_ids
    >>> elmo = Elmo("tiny_en", num_output_representations=2, dropout=0)
    >>> outputs = elmo(batch_to_ids([["First", "sentence", "."], ["Another", "."]]))
    >>> [tuple(x.shape) for x in outputs["elmo_representations"]]
    [(2, 3, 256), (2, 3, 256)]
    >>> outputs["mask"].numpy().tolist()
    [[True, True, True], [True, True, False]]
    """

    def __init__(
        self,
        options_file=None,
        weight_file=None,
        num_output_representations=1,
        requires_grad=False,
        do_layer_norm=False,
        dropout=0.5,
        vocab_to_cache=None,
        keep_sentence_boundaries=False,
        scalar_mix_parameters=None,
        module=None,
        stateful=False,
        **kwargs,
    ):
        require_tensorflow_2()
        check_keywords(type(self), kwargs)
        check_positive_integer("num_output_representations", num_output_representations)
        for name, value in (
            ("requires_grad", requires_grad),
            ("do_layer_norm", do_layer_norm),
            ("keep_sentence_boundaries", keep_sentence_boundaries),
            ("stateful", stateful),
        ):
            check_boolean(name, value)
        files = {"options_file": options_file, "weight_file": weight_file}
        check_clashes(module, files, requires_grad, vocab_to_cache, stateful)
        if module is None:
            part = {"dtype": kwargs["dtype"]} if kwargs.get("dtype") else {}
            module = BiLM.from_stored_model(
                open_files(**files), return_state=stateful, **part
            )
        module.require_bytes("module")
        super().__init__(**{"dtype": module.dtype_policy, **kwargs})
        check_dtype(self.dtype_policy, module)
        self.bilm = module
        self.num_output_representations = num_output_representations
        self.requires_grad = requires_grad
        self.do_layer_norm = do_layer_norm
        self.dropout = check_rate("dropout", dropout)
        self.keep_sentence_boundaries = keep_sentence_boundaries
        self.scalar_mix_parameters = check_mix(scalar_mix_parameters, module)
        self.stateful = stateful
        finetune = "all" if requires_grad else None
        module.serve(finetune)

        part = {"dtype": self.dtype_policy}
        self.mixes = [
            ScalarMix(
                1 + module.num_layers,
                self.scalar_mix_parameters,
                do_layer_norm=do_layer_norm,
                name=f"mix_{index}",
                **part,
            )
            for index in range(num_output_representations)
        ]
        self.dropout_layer = keras.layers.Dropout(dropout, name="dropout", **part)
        self.attach_mask = AttachMask(name="attach_mask", **part)
        self.word_cache = WordCache.of_words(vocab_to_cache, module, finetune)
        self.states = None
        if stateful:
            self.states = BatchStates(module.bilstm.state_sizes, name="states", **part)
        # XLA has no tensors whose shapes depend on values, which these two take.
        self.supports_jit = not stateful and self.word_cache is None
        # The shapes of variables do not depend on inputs, so they are made at once.
        self.build()
        self._run_bilm = BatchBiLM(module, self.states)

    def __call__(self, inputs, word_inputs=None, **kwargs):
        # Keras refuses lists, and the tensors of PyTorch.
        inputs = as_integers(inputs, "inputs")
        if word_inputs is not None:
            kwargs["word_inputs"] = as_integers(word_inputs, "word_inputs")
        return super().__call__(inputs, **kwargs)

    def build(self, inputs_shape=None, word_inputs_shape=None):
        shape = (None, None, self.get_output_dim())
        for mix in self.mixes:
            mix.build([shape] * mix.num_layers)
        self._set_trained(self.trainable)

    def call(self, inputs, word_inputs=None, training=None):
        ids = rows_of(inputs, 3, "inputs")
        # Where integers come into a graph, XLA may be about to compile all of it.
        packed = tf.executing_eagerly()
        layers, encoded = self._layers_of(ids, word_inputs, packed)
        mask = length_mask(encoded)
        kept_mask = length_mask(encoded, not self.keep_sentence_boundaries)
        leading, tokens = tf.shape(inputs)[:-2], inputs.shape[-2]
        longest = tf.shape(ids)[1] + 2 * self.keep_sentence_boundaries
        if tokens is not None:
            longest = tokens = tokens + 2 * self.keep_sentence_boundaries

        def finish(tensor, *inner):
            """Filled up to the length of the inputs, with all of their axes."""
            missing = longest - tf.shape(tensor)[1]
            tensor = tf.pad(tensor, [[0, 0], [0, missing], *([[0, 0]] * len(inner))])
            tensor = tf.reshape(tensor, tf.concat([leading, [longest, *inner]], 0))
            return tf.ensure_shape(tensor, [*inputs.shape[:-2], tokens, *inner])

        full_mask = finish(kept_mask)
        representations = []
        for mix in self.mixes:
            mixed = mix(layers, mask=mask)
            if not self.keep_sentence_boundaries:
                mixed = mixed[:, 1:-1]
            mixed = mixed * ops.cast(kept_mask, mixed.dtype)[..., None]
            mixed = self.dropout_layer(
                finish(mixed, self.get_output_dim()), training=training
            )
            representations.append(self.attach_mask([mixed, full_mask]))
        return {"elmo_representations": representations, "mask": full_mask}

    def _layers_of(self, ids, word_inputs, packed):
        """All layers, of one width, and the encoded batch that they are of."""
        max_characters = self.bilm.max_characters
        if word_inputs is not None and self.word_cache is None:
            warnings.warn(
                "`word_inputs` are of no use without `vocab_to_cache`: all words are "
                "computed from their characters",
                stacklevel=4,
            )
            word_inputs = None
        if word_inputs is None:
            encoded, _ = encode_inputs(
                between_boundaries(ids, max_characters),
                "space",
                True,
                max_characters,
                None,
                padded=not packed,
            )
        else:
            words = rows_of(word_inputs, 2, "word_inputs")
            encoded = of_cached_words(words, ids, self.word_cache)
        word_emb, *lstm_outputs = self._run_bilm(encoded, packed)
        return [ops.concatenate([word_emb, word_emb], axis=-1), *lstm_outputs], encoded

    def reset_states(self):
        """Starts the next batch from zeros, as a new layer with `stateful=True` does.

        Raises:
            ValueError: if the layer is not stateful.
        """
        if self.states is None:
            raise ValueError(
                "`reset_states` needs `stateful=True`. Received: a layer that starts "
                "every call from zeros"
            )
        self.states.reset()

    def get_output_dim(self):
        """The width of a representation, `2 * projection_dim`."""
        return 2 * self.bilm.projection_dim

    @property
    def trainable(self):
        """Whether the mixes, and with `requires_grad` the biLM, are trained."""
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        self._set_trained(value)

    def _set_trained(self, value):
        """What is trained, where Keras has set the flags of all parts alike."""
        self.bilm.train_for(self, value)
        for mix in self.mixes:
            mix.trainable = value and self.scalar_mix_parameters is None

    def get_config(self):
        return {
            **super().get_config(),
            "num_output_representations": self.num_output_representations,
            "requires_grad": self.requires_grad,
            "do_layer_norm": self.do_layer_norm,
            "dropout": self.dropout,
            "vocab_to_cache": keras.saving.serialize_keras_object(self.word_cache),
            "keep_sentence_boundaries": self.keep_sentence_boundaries,
            "scalar_mix_parameters": self.scalar_mix_parameters,
            "module": self.bilm.serialize(),
            "stateful": self.stateful,
        }

    @classmethod
    def from_config(cls, config):
        # The config of a cache holds its words alone; its vectors are weights.
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("module", "vocab_to_cache")
        }
        return cls(**{**config, **parts})
