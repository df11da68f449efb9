import os
import warnings
from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_elmo.embedding.compiled import of_any_size
from keras_elmo.embedding.computation import Computation
from keras_elmo.embedding.encoded_inputs import output_length
from keras_elmo.embedding.serving_warm_up import warm_up_requests, write_warm_up
from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_folder

_STRINGS = tf.TensorSpec([None], tf.string, name="strings")
_TOKENS = {
    "tokens": tf.TensorSpec([None, None], tf.string, name="tokens"),
    "sequence_len": tf.TensorSpec([None], tf.int32, name="sequence_len"),
}
_NEEDS_TENSORFLOW_TEXT = (
    'A SavedModel with `tokenizer="unicode_script"` needs the op library of '
    "tensorflow-text where it runs: `import tensorflow_text` before a program loads "
    "it in Python, `_unicode_script_tokenizer.so` of that package elsewhere. "
    'TensorFlow Serving\'s own binaries have it built in. The tokenizers "space" and '
    '"whitespace" need nothing'
)


def check_target(folder: str | os.PathLike, overwrite: bool) -> None:
    """Refuses to write where something is; see `ElmoEmbedding.export`."""
    check_folder(folder, "saved_model.pb", "a SavedModel", overwrite)


def export_saved_model(
    elmo, folder: str | os.PathLike, warm_up: Sequence[str] | None = None
) -> None:
    """Writes a SavedModel; see `ElmoEmbedding.export`.

    Args:
        elmo: The `ElmoEmbedding`.
        folder: Where to write it; what is there is replaced.
        warm_up: Sentences that a server should embed before it answers. Defaults to
            None: none.

    Raises:
        ValueError: if `warm_up` is not as described.
    """
    requests = None if warm_up is None else warm_up_requests(warm_up, elmo.tokenizer)
    if elmo.tokenizer == "unicode_script":
        warnings.warn(_NEEDS_TENSORFLOW_TEXT, stacklevel=3)
    model = _reusable(elmo)
    signatures = {
        "serving_default": model.default,
        "default": model.default,
        "tokens": _with_names(model.tokens),
    }
    with replacing(folder) as temporary:
        tf.saved_model.save(model, temporary, signatures)
        if requests is not None:
            write_warm_up(temporary, requests)


def _reusable(elmo):
    """What the SavedModel holds, as TF-Hub asks of those that can be trained.

    It does not hold the layer, because TensorFlow would then write every weight twice,
    as Keras' variable and as its own.
    """
    embed = _TextFunction(elmo)
    model = tf.train.Checkpoint()
    model.variables = embed.variables
    model.trainable_variables = [v.value for v in elmo.trainable_variables]
    model.regularization_losses = _regularization_losses(elmo)
    # A SavedModel holds a table only if an attribute of the model names it.
    holders = (elmo.word_cache, elmo.token_vocabulary)
    tables = [holder.table for holder in holders if holder is not None]
    model.word_tables = [table for table in tables if table is not None]
    model.default = _function(lambda strings: embed(strings), [_STRINGS])
    model.tokens = _function(lambda inputs: embed(inputs), [_TOKENS])
    model.__call__ = _function(embed)
    for inputs in (_STRINGS, _TOKENS):
        for training in (False, True):
            model.__call__.get_concrete_function(inputs, training=training)
    return model


class _TextFunction:
    """An embedding as a function of text alone, whose calls share their graphs.

    What Keras knows to be frozen is a variable of another kind in TensorFlow, for whom
    this is decided when a variable is made. So the function has variables of its own
    for frozen weights.

    Args:
        elmo: The `ElmoEmbedding`.

    Call arguments:
        inputs: Strings `(batch,)`, or a dictionary of tokens; see `ElmoEmbedding`.
        training: Whether dropout acts. Defaults to False.

    Returns:
        All outputs, see `ElmoEmbedding`.
    """

    def __init__(self, elmo):
        self._elmo = elmo
        self._computation = Computation(elmo, jit_compile=False)
        trained = {id(variable) for variable in elmo.trainable_variables}
        self._frozen = {
            id(variable): (variable, _frozen_copy(variable))
            for variable in elmo.weights
            if id(variable) not in trained
        }
        self._others = [v for v in elmo.variables if id(v) not in self._frozen]
        self._embed_text = _function(self._of_text)
        self._embed_encoded = _function(self._of_encoded)

    @property
    def variables(self):
        """All of TensorFlow's variables."""
        copies = [copy for _, copy in self._frozen.values()]
        return [*copies, *(variable.value for variable in self._others)]

    def __call__(self, inputs, training=False):
        return self._embed_text(inputs, bool(training and self._elmo.dropout))

    def _of_text(self, inputs, training):
        with keras.StatelessScope(list(self._frozen.values())):
            encoded, max_length = self._computation.encode(inputs, padded=False)
        if max_length is None:
            max_length = output_length(encoded, self._elmo.sentence_boundaries)
        # One graph for all sizes serves both forms of text.
        specs = tf.nest.map_structure(of_any_size, (encoded, max_length))
        self._embed_encoded.get_concrete_function(*specs, training)
        return self._embed_encoded(encoded, max_length, training)

    def _of_encoded(self, encoded, max_length, training):
        with keras.StatelessScope(list(self._frozen.values())) as scope:
            outputs, _ = self._computation.of_encoded(
                encoded, packed=True, max_length=max_length, training=training
            )
        # The scope has kept to itself how dropout counts its calls.
        for variable in self._others:
            value = scope.get_current_value(variable)
            if value is not None:
                variable.assign(value)
        return outputs


def _frozen_copy(variable):
    return tf.Variable(variable.value, trainable=False, name=variable.path)


def _with_names(embed):
    """A function of a dictionary of tokens as one of arguments, as signatures are."""
    return _function(
        lambda tokens, sequence_len: embed(
            {"tokens": tokens, "sequence_len": sequence_len}
        ),
        [*_TOKENS.values()],
    )


def _regularization_losses(elmo):
    """Functions without arguments, since losses change as the weights do."""
    if elmo.mix_regularizer is None or not elmo.mix.trainable:
        return []
    return [_function(lambda: elmo.mix_regularizer(elmo.mix.mix_weights), [])]


def _function(function, input_signature=None):
    # Without a signature, its traces are all that it can be called with later.
    return tf.function(
        function, input_signature, autograph=False, reduce_retracing=True
    )
