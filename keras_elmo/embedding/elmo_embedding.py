import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_elmo.arguments import check_boolean, check_choice, check_rate
from keras_elmo.bilm import BiLM
from keras_elmo.char_ids import positions
from keras_elmo.embedding.buckets import pad_to_buckets
from keras_elmo.embedding.compiled import PureCall
from keras_elmo.embedding.saved_model import export_saved_model
from keras_elmo.embedding.start_state import StartState
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.layers import ScalarMix
from keras_elmo.layers.apply_mask import TokenMask
from keras_elmo.text.checks import check_encoded
from keras_elmo.text.encode import encode_distinct, encode_with_cache
from keras_elmo.text.inputs import (
    as_tensors,
    is_encoded,
    to_ragged_tokens,
)
from keras_elmo.text.preprocessor import ElmoPreprocessor
from keras_elmo.text.tokenizers import TOKENIZERS
from keras_elmo.weights.pretrained import Pretrained
from keras_elmo.weights.settings import check_settings
from keras_elmo.weights.variables import named_variables


@keras.saving.register_keras_serializable(package="keras_elmo")
class ElmoEmbedding(Pretrained, keras.layers.Layer):
    """ELMo: strings in, contextual embeddings out.

    ```
    text -> char ids -> biLM -> mix -> outputs
    ```

    The embedding of a sentence depends on that sentence alone, not on what else
    is in the batch, nor on what was embedded before.

    Reference: Peters et al. 2018, arXiv:1802.05365; signatures and outputs as in
    TF-Hub's `google/elmo`.

    Args:
        bilm: A `BiLM`. It may serve several embeddings, say the two mixes of the
            paper; these have to agree in `finetune` then.
        output_key: Name of the only output to return, see below. Defaults to
            None: all of them, in a dictionary.
        finetune: What to train besides the mix: None (default), `"lstm"`, or
            `"all"` of the biLM. Setting `trainable` on this layer, or on a model
            that holds it, switches just what is named here and the mix.
        tokenizer: How sentences are split, see `ElmoPreprocessor`.
        sentence_boundaries: Whether to embed each sentence between `<S>` and
            `</S>`, whose outputs are then removed. Defaults to None: as `bilm`
            was trained.
        dropout: Rate of the dropout after the mix, when training. Defaults to 0.
        seed: Seed of the dropout. Defaults to None.
        mix_regularizer: See `weights_regularizer` of `ScalarMix`.
        do_layer_norm: See `ScalarMix`.
        cached_words: List of words whose `word_emb` is computed here and looked up
            afterwards, which spares the character CNN; others go through it. Or a
            `WordCache`. Not with `finetune="all"`. Defaults to None: no words.
        start_state: What the LSTMs start every sentence from: `"zeros"` (default), or
            `"warm"`, the state at the end of a text, see `warm_up`.
        jit_compile: Whether XLA compiles the numeric part; strings stay outside.
            Sizes are rounded up then, to be compiled for a few shapes only.
            Defaults to `"auto"`: where TensorFlow sees a GPU.
        **kwargs: `name`, `trainable`, as for any Keras layer. `dtype` is that of
            `bilm`.

    Call arguments:
        inputs: Lists, NumPy arrays or tensors, as one of

            - strings `(batch,)` or `(batch, 1)`: sentences;
            - `{"tokens": strings (batch, max_length), "sequence_len": integers
              (batch,)}`. Tokens from `sequence_len` on are ignored;
            - a string `RaggedTensor` `(batch, None)` of tokens;
            - integers in either form of `ElmoPreprocessor`, most easily those of
              `self.preprocessor`.

    Returns:
        One tensor if `output_key` is given, or a dictionary:

        - `"word_emb"`: `(batch, max_length, projection_dim)`, context-free;
        - `"lstm_outputs1"`, ...: `(batch, max_length, 2 * projection_dim)`, the
          biLSTM's layers;
        - `"elmo"`: `(batch, max_length, 2 * projection_dim)`, the mix of all of
          these, `word_emb` doubled;
        - `"default"`: `(batch, 2 * projection_dim)`, the mean of `elmo` over the
          tokens of each row.

        All in the compute dtype. Sequences are 0 where there is no token, and
        carry a Keras mask. `default` of an empty row is 0. `max_length` is at
        least 1.

    Raises:
        ValueError: if an argument is not as described.
        tf.errors.InvalidArgumentError: in a graph, if a `sequence_len` is
            outside `0..max_length`, or integers are not what the preprocessor
            makes. XLA leaves such checks out: a model that is compiled as a
            whole does not make them.

    Example:

    >>> bilm = BiLM(filters=[[1, 8], [2, 8]], units=16, projection_dim=4)
    >>> elmo = ElmoEmbedding(bilm)
    >>> {key: tuple(x.shape) for key, x in elmo(["the cat sat", "dogs"]).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'word_emb': (2, 3, 4), 'lstm_outputs1': (2, 3, 8), 'lstm_outputs2': (2, 3, 8),
     'elmo': (2, 3, 8), 'default': (2, 8)}
    >>> len(elmo.trainable_variables)
    2
    """

    def __init__(
        self,
        bilm,
        output_key=None,
        finetune=None,
        tokenizer="space",
        sentence_boundaries=None,
        dropout=0.0,
        seed=None,
        mix_regularizer=None,
        do_layer_norm=False,
        cached_words=None,
        start_state="zeros",
        jit_compile="auto",
        **kwargs,
    ):
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "`ElmoEmbedding` takes strings and needs Keras' TensorFlow backend. "
                f"Received: backend {keras.backend.backend()!r}. Set "
                "KERAS_BACKEND=tensorflow, or call the `BiLM` on integers from "
                "`ElmoPreprocessor`."
            )
        if not isinstance(bilm, BiLM) or bilm.return_state:
            raise ValueError(
                "`bilm` should be a `BiLM` with `return_state=False`. "
                f"Received: bilm={bilm!r}"
            )
        super().__init__(**{"dtype": bilm.dtype_policy, **kwargs})
        if self.dtype_policy != bilm.dtype_policy:
            raise ValueError(
                "`dtype` should be that of `bilm`, or be left out. Received: "
                f"dtype={self.dtype_policy.name!r} for bilm of dtype "
                f"{bilm.dtype_policy.name!r}"
            )
        if sentence_boundaries is None:
            sentence_boundaries = bilm.sentence_boundaries
        self.bilm = bilm
        self.output_key = check_choice(
            "output_key", output_key, (None, *self._output_keys())
        )
        self.finetune = check_choice("finetune", finetune, (None, "lstm", "all"))
        self.tokenizer = check_choice("tokenizer", tokenizer, tuple(TOKENIZERS))
        self.sentence_boundaries = check_boolean(
            "sentence_boundaries", sentence_boundaries
        )
        self.dropout = check_rate("dropout", dropout)
        self.seed = seed
        self.mix_regularizer = keras.regularizers.get(mix_regularizer)
        self.do_layer_norm = do_layer_norm
        self.jit_compile = check_choice(
            "jit_compile", jit_compile, ("auto", True, False)
        )
        self.mix = ScalarMix(
            num_layers=1 + bilm.num_layers,
            do_layer_norm=do_layer_norm,
            weights_regularizer=self.mix_regularizer,
            dtype=self.dtype_policy,
            name="mix",
        )
        self.dropout_layer = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy, name="dropout"
        )
        self.word_cache = self._make_word_cache(cached_words)
        self.start_state = check_choice("start_state", start_state, ("zeros", "warm"))
        self.warm_state = None
        if start_state == "warm":
            sizes = [bilm.projection_dim, bilm.units] * 2 * bilm.num_layers
            self.warm_state = StartState(
                sizes, dtype=self.dtype_policy, name="warm_state"
            )
        # Unlike the others, this one shows up in functional models.
        self.token_mask = TokenMask(
            tokenizer, sentence_boundaries, name=f"{self.name}_mask"
        )
        bilm.join(self)
        # No variable depends on the shape of the text, so why wait for it.
        self.build()

    @classmethod
    def from_stored_model(cls, stored, allow_nan=False, warm_up=None, **kwargs):
        """Loads a `keras_elmo.weights.stored_model.StoredModel`: weights of any format.

        Args:
            stored: What one of the readers of `keras_elmo.weights` returned.
            allow_nan: See `BiLM.from_stored_model`.
            warm_up: With `start_state="warm"`, sentences for `warm_up`. Defaults to
                None: the state that is stored with the weights.
            **kwargs: Arguments of `ElmoEmbedding`. The biLM gets `dtype` and
                `sentence_boundaries` too. `cached_words` defaults to those of a
                preset, if it has any, unless `finetune="all"`.

        Raises:
            FileNotFoundError: if a warm state is asked for, and none is stored.
            ValueError: see `BiLM.from_stored_model`.
        """
        bilm = BiLM.from_stored_model(stored, allow_nan, **_bilm_arguments(kwargs))
        arguments = {**stored.embedding, **kwargs}
        if "cached_words" not in kwargs:
            arguments["cached_words"] = _stored_cache(stored, bilm, kwargs)
        with stored.argument_errors(cls, kwargs):
            embedding = cls(bilm, **arguments)
        if stored.mix is not None:
            _set_mix(embedding.mix, stored, allow_nan)
        if warm_up is not None:
            embedding.warm_up(warm_up)
        elif embedding.warm_state is not None:
            stored.fill("start_state", embedding.warm_state.named_variables())
        return embedding

    def settings(self):
        """All but the weights, see `keras_elmo.weights.settings`."""
        weights, scaling = (ops.convert_to_numpy(v) for v in self.mix.weights)
        settings = {
            "bilm": self.bilm.architecture(),
            "embedding": {
                "tokenizer": self.tokenizer,
                "sentence_boundaries": self.sentence_boundaries,
                "do_layer_norm": self.do_layer_norm,
            },
            "mix": {"weights": weights.tolist(), "scaling": scaling.tolist()},
        }
        if self.word_cache is not None:
            settings["embedding"]["cached_words"] = self.word_cache.words
        return check_settings(settings)

    def bilm_variables(self):
        """See `BiLM.bilm_variables`."""
        return named_variables(self.bilm)

    def preset_parts(self):
        """See `Pretrained.preset_parts`."""
        parts = {"word_cache": self.word_cache, "start_state": self.warm_state}
        return {
            name: part.named_variables()
            for name, part in parts.items()
            if part is not None
        }

    def warm_up(self, sentences):
        """Computes the state that `start_state="warm"` starts from.

        It is what the LSTMs hold after these sentences, one after the other, each
        direction in its own. From then on nothing changes it; `save_to_preset` keeps
        it.

        Args:
            sentences: List of strings, split by `tokenizer`.

        Raises:
            ValueError: if `start_state` is another, or there are no sentences.

        Example:

        >>> bilm = BiLM.from_preset("tiny_en")
        >>> elmo = ElmoEmbedding(bilm, start_state="warm")
        >>> elmo.warm_up(["He sat down .", "It was late ."])
        """
        if self.warm_state is None or isinstance(sentences, str) or not len(sentences):
            raise ValueError(
                '`warm_up` needs `start_state="warm"` and a list of sentences. '
                f"Received: start_state={self.start_state!r}, sentences={sentences!r}"
            )
        batches = (self.preprocessor([sentence]) for sentence in sentences)
        self.warm_state.warm_up(self.bilm.returning_state(), batches)

    def export(self, folder):
        """Writes a SavedModel, which needs nothing but TensorFlow to run.

        It has the signatures of TF-Hub's `google/elmo`, each with all five
        outputs whatever `output_key` is: `default` (`strings`: `(batch,)`) and
        `tokens` (`tokens`: `(batch, max_length)`, `sequence_len`: int32
        `(batch,)`). With the tokenizer `"unicode_script"`, the process that
        loads it has to `import tensorflow_text` first.

        Args:
            folder: Where to write it: new, empty, or a SavedModel to replace.

        Raises:
            ValueError: if `folder` holds something else.
        """
        config = {**self.get_config(), "output_key": None, "jit_compile": False}
        exported = type(self).from_config(config)
        exported.set_weights(self.get_weights())
        export_saved_model(exported, folder)

    def build(self, inputs_shape=None):
        width = 2 * self.bilm.projection_dim
        self.mix.build([(None, None, width)] * self.mix.num_layers)
        self._run_bilm = PureCall(
            self.bilm, self._trained_variables(), self.is_compiled
        )
        self._set_trainable()

    @property
    def preprocessor(self):
        """An `ElmoPreprocessor` whose integers this layer takes for text."""
        return ElmoPreprocessor(
            self.tokenizer,
            max_characters=self.bilm.max_characters,
            sentence_boundaries=self.sentence_boundaries,
            distinct=True,
        )

    @property
    def is_compiled(self):
        """What `jit_compile` comes to on this machine."""
        if self.jit_compile == "auto":
            return bool(tf.config.list_physical_devices("GPU"))
        return self.jit_compile

    @property
    def trainable(self):
        """Whether the mix, and what `finetune` names, is trained."""
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        self._set_trainable()

    def _set_trainable(self):
        """Keras passes the flag on to all variables; takes it back here."""
        trained = {id(variable) for variable in self._trained_variables()}
        # One of those that share the biLM suffices to train it.
        trains = any(other.trainable for other in self.bilm.embeddings_served)
        for variable in self.bilm.variables:
            variable.trainable = trains and id(variable) in trained

    def _trained_variables(self):
        """The biLM's variables that `finetune` names."""
        named = {None: [], "lstm": self.bilm.bilstm.variables}
        return named.get(self.finetune, self.bilm.variables)

    def __call__(self, inputs, **kwargs):
        # Keras refuses lists as positional arguments.
        return super().__call__(as_tensors(inputs), **kwargs)

    def call(self, inputs, training=None):
        integers = self._encode(inputs)
        mask = self.token_mask(integers)
        layers = self._all_layers(integers)  # of (batch, max_length, ...)
        if self.sentence_boundaries:
            layers = [layer[:, 1:-1] for layer in layers]
        keep = ops.cast(mask, self.compute_dtype)[..., None]
        layers = [layer * keep for layer in layers]

        word_emb, *lstm_outputs = layers
        doubled = ops.concatenate([word_emb, word_emb], axis=-1)
        elmo = self.mix([doubled, *lstm_outputs], mask=mask) * keep
        elmo = self.dropout_layer(elmo, training=training)
        outputs = (*layers, elmo, self._mean_over_tokens(elmo, mask))
        outputs = dict(zip(self._output_keys(), outputs, strict=True))
        return outputs if self.output_key is None else outputs[self.output_key]

    def _make_word_cache(self, words):
        if words is None or isinstance(words, WordCache):
            cache = words
        else:
            cache = WordCache(
                words,
                self.bilm.projection_dim,
                self.bilm.max_characters,
                dtype=self.dtype_policy,
            )
            cache.fill(self.bilm.char_cnn)
        if cache is not None and self.finetune == "all":
            raise ValueError(
                '`cached_words` can\'t be used with `finetune="all"`, which changes '
                f"what they are computed by. Received: {len(cache.words)} words"
            )
        return cache

    def _mean_over_tokens(self, elmo, mask):
        # In float32: half precision can't add up a long row.
        total = ops.sum(ops.cast(elmo, "float32"), axis=1)
        count = ops.maximum(ops.sum(ops.cast(mask, "float32"), axis=1), 1)
        return ops.cast(total / count[:, None], self.compute_dtype)

    def _encode(self, inputs):
        if is_encoded(inputs):
            return check_encoded(inputs, self.sentence_boundaries)
        # XLA has no strings: a model with them can't be compiled as a whole.
        self.supports_jit = False
        tokens, max_length = to_ragged_tokens(
            inputs, self.tokenizer, self.sentence_boundaries
        )
        if self.word_cache is not None:
            return encode_with_cache(
                tokens, max_length, self.bilm.max_characters, self.word_cache
            )
        return encode_distinct(tokens, max_length, self.bilm.max_characters)

    def _all_layers(self, integers):
        if not self.is_compiled:
            return self._run_bilm(integers, self._initial_state(integers))
        batch, time, *_ = tf.unstack(tf.shape(positions(integers)))
        rounded = pad_to_buckets(integers, self.bilm.max_characters)
        layers = self._run_bilm(rounded, self._initial_state(rounded))
        return [layer[:batch, :time] for layer in layers]

    def _initial_state(self, integers):
        if self.warm_state is None:
            return None
        return self.warm_state(tf.shape(positions(integers))[0])

    def compute_mask(self, inputs, previous_mask=None):
        mask = self.token_mask(inputs)
        masks = {key: mask for key in self._output_keys()} | {"default": None}
        return masks if self.output_key is None else masks[self.output_key]

    def _output_keys(self):
        lstm_outputs = [
            f"lstm_outputs{index + 1}" for index in range(self.bilm.num_layers)
        ]
        return ("word_emb", *lstm_outputs, "elmo", "default")

    def get_config(self):
        return {
            **super().get_config(),
            "bilm": self.bilm.serialize(),
            "output_key": self.output_key,
            "finetune": self.finetune,
            "tokenizer": self.tokenizer,
            "sentence_boundaries": self.sentence_boundaries,
            "dropout": self.dropout,
            "seed": self.seed,
            "mix_regularizer": keras.regularizers.serialize(self.mix_regularizer),
            "do_layer_norm": self.do_layer_norm,
            "cached_words": keras.saving.serialize_keras_object(self.word_cache),
            "start_state": self.start_state,
            "jit_compile": self.jit_compile,
        }

    @classmethod
    def from_config(cls, config):
        # Of a cache, the words alone: its vectors are weights like any other.
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("bilm", "cached_words")
        }
        return cls(**{**config, **parts})


def _bilm_arguments(arguments):
    """Those of an embedding's arguments that its biLM gets too."""
    keys = ("dtype", "sentence_boundaries")
    return {key: arguments[key] for key in keys if arguments.get(key) is not None}


def _stored_cache(stored, bilm, kwargs):
    """The words of a preset with their vectors, or without if it has none."""
    words = stored.embedding.get("cached_words")
    if words is None or kwargs.get("finetune") == "all":
        return None
    if "word_cache" not in stored.extra_weights or "dtype" in kwargs:
        return words
    cache = WordCache(words, bilm.projection_dim, bilm.max_characters)
    stored.fill("word_cache", cache.named_variables())
    return cache


def _set_mix(mix, stored, allow_nan):
    """Assigns what a file says of the mix, if it is one of as many layers."""
    arrays = [_as_floats(stored.mix[key]) for key in ("weights", "scaling")]
    expected = [tuple(variable.shape) for variable in mix.weights]
    is_finite = allow_nan or all(np.isfinite(array).all() for array in arrays)
    if [array.shape for array in arrays] != expected or not is_finite:
        raise ValueError(
            f"The mix in `{stored.described_in}` should hold {mix.num_layers} finite "
            f"weights, one a layer, and a scaling. Received: {stored.mix}. Correct it, "
            "or fetch the file again"
        )
    mix.set_weights(arrays)


def _as_floats(values):
    """An array of float32, NaN if these are no numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        return np.array(np.nan, "float32")
    with np.errstate(over="ignore"):
        return array.astype("float32")
