from typing import Any

from keras import ops

from keras_elmo.bilm import BiLM
from keras_elmo.embedding.saved_model import check_target, export_saved_model
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.weights.pretrained import Pretrained
from keras_elmo.weights.settings import check_settings
from keras_elmo.weights.variables import named_variables


class StoredEmbedding(Pretrained):
    """What `ElmoEmbedding` reads from files of weights, and writes."""

    bilm: Any
    mix: Any
    word_cache: Any
    warm_state: Any
    token_vocabulary: Any
    start_state: Any
    tokenizer: Any
    sentence_boundaries: Any
    do_layer_norm: Any
    preprocessor: Any
    get_config: Any
    from_config: Any
    get_weights: Any

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
            embedding = cls(bilm, **arguments)  # type: ignore[call-arg]
        stored.fill_mix(embedding.mix, allow_nan)
        if warm_up is not None:
            embedding.warm_up(warm_up)
        elif embedding.warm_state is not None:
            stored.fill("start_state", embedding.warm_state.named_variables())
        return embedding

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

        >>> import keras_elmo
        >>> bilm = keras_elmo.BiLM.from_preset("tiny_en")
        >>> elmo = keras_elmo.ElmoEmbedding(bilm, start_state="warm")
        >>> elmo.warm_up(["He sat down .", "It was late ."])
        """
        if self.warm_state is None or isinstance(sentences, str) or not len(sentences):
            raise ValueError(
                '`warm_up` needs `start_state="warm"` and a list of sentences. '
                f"Received: start_state={self.start_state!r}, sentences={sentences!r}"
            )
        batches = (self.preprocessor([sentence]) for sentence in sentences)
        self.warm_state.warm_up(self.bilm.copy(return_state=True), batches)

    def export(self, folder, overwrite=False, warm_up=None):
        """Writes a SavedModel, which needs nothing but TensorFlow to run.

        It has the signatures of TF-Hub's `google/elmo`, each with all five
        outputs whatever `output_key` is: `default` (`strings`: `(batch,)`), which is
        `serving_default` too, and `tokens` (`tokens`: `(batch, max_length)`,
        `sequence_len`: int32 `(batch,)`).

        What `tf.saved_model.load` returns can be called and trained, as TF-Hub asks of
        modules for TensorFlow 2: `loaded(strings, training=False)`, or with a
        dictionary of the two inputs of `tokens`; `loaded.trainable_variables` are this
        layer's, and `loaded.regularization_losses` has a function for
        `mix_regularizer`. TensorFlow makes a graph for each new shape of such a call;
        the signatures take all shapes at once, so they are for servers.

        Args:
            folder: Where to write it: new or empty.
            overwrite: Whether to replace a SavedModel that is there. Defaults to False.
            warm_up: List of 1 to 333 sentences that TensorFlow Serving embeds, by every
                signature, before it answers others, which would be slow the first time.
                Defaults to None: none.

        Raises:
            FileExistsError: if there is one, without `overwrite`.
            ValueError: if `folder` holds something else, or `warm_up` is not as
                described.

        Warns:
            UserWarning: with the tokenizer `"unicode_script"`, of the op library that
                has to be loaded first.

        Example:

        >>> import tempfile
        >>> import keras_elmo
        >>> bilm = keras_elmo.BiLM(filters=[[1, 8]], units=8, projection_dim=4)
        >>> elmo = keras_elmo.ElmoEmbedding(bilm)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     elmo.export(folder)
        ...     loaded = tf.saved_model.load(folder)
        >>> loaded(tf.constant(["the cat sat", "dogs"]))["default"].shape
        TensorShape([2, 8])
        """
        check_target(folder, overwrite)
        export_saved_model(self, folder, warm_up)

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
        if self.token_vocabulary is not None:
            vocabulary = self.token_vocabulary.settings()
            settings["embedding"]["token_vocabulary"] = vocabulary
        return check_settings(settings)

    def bilm_variables(self):
        """See `BiLM.bilm_variables`."""
        return named_variables(self.bilm)

    def extra_weights(self):
        """See `Pretrained.extra_weights`."""
        parts = {"word_cache": self.word_cache, "start_state": self.warm_state}
        return {
            name: part.named_variables()
            for name, part in parts.items()
            if part is not None
        }


def _bilm_arguments(arguments):
    """Those of an embedding's arguments that its biLM gets too."""
    names = ("dtype", "sentence_boundaries")
    return {name: arguments[name] for name in names if arguments.get(name) is not None}


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
