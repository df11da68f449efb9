import keras

from keras_elmo.arguments import check_boolean, check_choice, check_rate
from keras_elmo.embedding.computation import Computation
from keras_elmo.embedding.outputs import masked_if_symbolic, output_keys
from keras_elmo.embedding.requirements import (
    check_bilm,
    check_call,
    check_dtype,
    require_tensorflow_2,
)
from keras_elmo.embedding.sentence_encoder import SentenceEncoder
from keras_elmo.embedding.start_state import StartState
from keras_elmo.embedding.stored_embedding import StoredEmbedding
from keras_elmo.embedding.stream import SentenceStream
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.layers import AttachMask, ScalarMix
from keras_elmo.text.inputs import as_tensors
from keras_elmo.text.preprocessor import ElmoPreprocessor
from keras_elmo.text.text_layer import TextLayer
from keras_elmo.text.token_vocabulary import TokenVocabulary
from keras_elmo.text.tokenizers import TOKENIZERS


@keras.saving.register_keras_serializable(package="keras_elmo")
class ElmoEmbedding(SentenceEncoder, StoredEmbedding, TextLayer):
    """ELMo: strings in, contextual embeddings out.

    The embedding of a sentence depends on that sentence alone, not on what else is in
    the batch, nor on what was embedded before.

    Reference: Peters et al. 2018, arXiv:1802.05365; signatures and outputs as in
    TF-Hub's `google/elmo`.

    Args:
        bilm: A `BiLM`. It may serve several embeddings, say the two mixes of the
            paper; these have to agree in `finetune` then.
        output_key: Name of the only output to return, see below. Defaults to
            None: all of them, in a dictionary.
        finetune: What to train besides the mix: None (default), `"lstm"`, or
            `"all"` of the biLM. Setting `trainable` on this layer, or on a model
            that holds it, switches just what is named here and the mix. Give the
            optimizer a `global_clipnorm` then, because gradients that go back through
            hundreds of tokens can grow at each.
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
        token_vocabulary: Dictionary of the `characters` and `words` that `bilm` was
            trained on, for one of ELMoForManyLangs, see `TokenVocabulary`. Defaults to
            None: bytes, as in every other ELMo.
        jit_compile: Whether XLA compiles the numeric part, for a few sizes to which
            batches are padded. Defaults to `"auto"`: where TensorFlow sees a GPU. That
            is by measurement for CPUs; for GPUs it is an estimate, as none was at hand.
        **kwargs: `name`, `trainable`, as for any Keras layer. `dtype` is that of
            `bilm`.

    Call arguments:
        inputs: Lists, NumPy arrays or tensors, as one of

            - strings `(batch,)` or `(batch, 1)`: sentences;
            - `{"tokens": strings (batch, max_length), "sequence_len": integers
              (batch,)}`. Tokens from `sequence_len` on are ignored;
            - tokens: a list of lists, or a string `RaggedTensor` `(batch, None)`;
            - integers in either form of `ElmoPreprocessor`, most easily those of
              `self.preprocessor`.

    Returns:
        One tensor if `output_key` is given, or a dictionary:

        - `"word_emb"`: `(batch, max_length, projection_dim)`, context-free;
        - `"lstm_outputs1"`, ...: `(batch, max_length, 2 * projection_dim)`;
        - `"elmo"`: of the same shape, the mix of all of these, `word_emb` doubled;
        - `"default"`: `(batch, 2 * projection_dim)`, the mean of `elmo` over tokens.

        All in the compute dtype. Sequences are 0 where there is no token, and carry a
        Keras mask. `default` of an empty row is 0. `max_length` is at least 1.

    Raises:
        RuntimeError: with another backend of Keras, or in TensorFlow 1's graph mode.
        TypeError: if a call has arguments of `hub.Module`, such as `as_dict`.
        ValueError: if an argument is not as described.
        tf.errors.InvalidArgumentError: in a graph, if values are not as described.
            XLA leaves such checks out of a model that is compiled as a whole.

    Example:

    >>> from keras_elmo import BiLM
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
        token_vocabulary=None,
        jit_compile="auto",
        **kwargs,
    ):
        require_tensorflow_2()
        check_bilm(bilm)
        super().__init__(**{"dtype": bilm.dtype_policy, **kwargs})
        check_dtype(self.dtype_policy, bilm)
        if sentence_boundaries is None:
            sentence_boundaries = bilm.sentence_boundaries
        self.bilm = bilm
        keys = self.output_keys = output_keys(bilm.num_layers)
        self.output_key = check_choice("output_key", output_key, (None, *keys))
        self.finetune = check_choice("finetune", finetune, (None, "lstm", "all"))
        bilm.serve(finetune)
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
        self.start_state = check_choice("start_state", start_state, ("zeros", "warm"))
        self.supports_masking = False  # or Keras would compute every mask again

        part = {"dtype": self.dtype_policy}
        self.mix = ScalarMix(
            num_layers=1 + bilm.num_layers,
            do_layer_norm=do_layer_norm,
            weights_regularizer=self.mix_regularizer,
            name="mix",
            **part,
        )
        self.attach_mask = AttachMask(name="attach_mask", **part)
        self.dropout_layer = keras.layers.Dropout(
            dropout, seed=seed, name="dropout", **part
        )
        vocabulary = TokenVocabulary.of_model(token_vocabulary, bilm)
        self.token_vocabulary = vocabulary
        self.word_cache = WordCache.of_words(cached_words, bilm, finetune, vocabulary)
        self.warm_state = None
        if start_state == "warm":
            sizes = bilm.bilstm.state_sizes
            self.warm_state = StartState(sizes, name="warm_state", **part)
        # The shapes of variables do not depend on inputs, so they are made at once.
        self.build()
        self.computation = Computation(self)
        self.stream = SentenceStream(self)

    def __call__(self, *args, **kwargs):
        check_call(kwargs)
        return masked_if_symbolic(super().__call__(*args, **kwargs))

    def build(self, inputs_shape=None):
        shape = (None, None, 2 * self.bilm.projection_dim)
        self.mix.build([shape] * self.mix.num_layers)
        # Keras passes the flag on to parts when it changes, and not when it is made.
        self.mix.trainable = self.trainable
        self.bilm.train_for(self, self.trainable)

    def call(self, inputs, training=None):
        outputs, mask = self.computation(inputs, self.output_key, training)
        for name in outputs.keys() - {"default"}:
            outputs[name] = self.attach_mask([outputs[name], mask])
        return outputs if self.output_key is None else outputs[self.output_key]

    def compute_mask(self, inputs, previous_mask=None):
        # Keras does not ask for it, because the outputs of `call` carry their masks.
        mask = self.computation.mask(as_tensors(inputs))
        masks = {**dict.fromkeys(self.output_keys, mask), "default": None}
        return masks if self.output_key is None else masks[self.output_key]

    @property
    def preprocessor(self):
        """An `ElmoPreprocessor` whose integers this layer takes for text."""
        return ElmoPreprocessor(
            self.tokenizer,
            max_characters=self.bilm.max_characters,
            sentence_boundaries=self.sentence_boundaries,
            distinct=True,
            token_vocabulary=self.token_vocabulary,
        )

    @property
    def trainable(self):
        """Whether the mix, and what `finetune` names, is trained."""
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        self.bilm.train_for(self, value)

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
            "token_vocabulary": keras.saving.serialize_keras_object(
                self.token_vocabulary
            ),
            "jit_compile": self.jit_compile,
        }

    @classmethod
    def from_config(cls, config):
        # The config of a cache holds its words alone; its vectors are weights.
        parts = {
            name: keras.saving.deserialize_keras_object(config.get(name))
            for name in ("bilm", "cached_words", "token_vocabulary")
        }
        return cls(**{**config, **parts})
