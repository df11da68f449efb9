"""`hub.Module` of TensorFlow 1, for code that was written for it."""

import collections
from collections.abc import Mapping

import keras
import tensorflow as tf

from keras_elmo.arguments import check_boolean, check_choice
from keras_elmo.compat.tensor_info import TensorInfo
from keras_elmo.embedding import ElmoEmbedding
from keras_elmo.embedding.outputs import masked_if_symbolic
from keras_elmo.text.checks import shortened
from keras_elmo.text.inputs import as_tensors
from keras_elmo.text.text_layer import TextLayer
from keras_elmo.weights.keywords import check_keywords

__all__ = ["Module"]

_SIGNATURES = {
    "default": {"strings": (tf.string, 1)},
    "tokens": {"tokens": (tf.string, 2), "sequence_len": (tf.int32, 1)},
}


@keras.saving.register_keras_serializable(package="keras_elmo", name="HubModule")
class Module(TextLayer):
    """An ELMo with the interface that `hub.Module` gave it in TensorFlow 1.

    It is a Keras layer, so there are no sessions, and neither variables nor tables to
    initialize. It is called directly, in a `tf.function`, or as part of a Keras model,
    which trains, saves and reloads it. (In a `keras.layers.Lambda` it computes the
    same, but Keras trains and saves nothing that is inside one.)

    Unlike the graphs of `google/elmo`, a sentence never depends on the others in its
    batch, and sequences are 0 where there is no token.

    Reference: `tensorflow_hub/module.py` before tensorflow-hub 0.14, and the page of
    `google/elmo/2`.

    Args:
        spec: Whatever `ElmoEmbedding.from_preset` opens: the folder, archive or address
            of a TF-Hub module, the name of a published model, `"tiny_en"`, ...; or an
            `ElmoEmbedding` without `output_key`, to set what this class does not; it is
            then trained or frozen as `trainable` says, wherever else it is used.
        trainable: Whether the four scalars of the mix are trained. Defaults to False,
            as in TF-Hub.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        inputs: What the signature takes, as lists, arrays or tensors:

            - `"default"`: strings `(batch,)` or `(batch, 1)`, sentences that are split
              at spaces; or `{"strings": ...}` of them;
            - `"tokens"`: `{"tokens": strings (batch, max_length), "sequence_len":
              integers (batch,)}`; tokens from `sequence_len` on are ignored.
        signature: `"default"` or `"tokens"`. Defaults to None, which is `"default"`.
        as_dict: Whether to return all outputs. Defaults to None, which is False.

    Returns:
        The output `"default"`, `(batch, 2 * projection_dim)`; or with `as_dict=True`
        the dictionary of all outputs, see `ElmoEmbedding`.

    Raises:
        FileNotFoundError: if `spec` names nothing.
        ValueError: if an argument is not as described, or an output is asked for that
            there is none of.

    Example:

    >>> elmo = Module("tiny_en", trainable=True)
    >>> sentences = ["the cat is on the mat", "dogs are in the fog"]
    >>> elmo(sentences, signature="default", as_dict=True)["elmo"].shape
    TensorShape([2, 6, 256])
    >>> tokens = [["the", "cat", "is", "on"], ["dogs", "are", "in", ""]]
    >>> inputs = {"tokens": tokens, "sequence_len": [4, 3]}
    >>> elmo(inputs=inputs, signature="tokens", as_dict=True)["elmo"].shape
    TensorShape([2, 4, 256])
    >>> elmo(sentences).shape
    TensorShape([2, 256])
    """

    def __init__(self, spec, trainable=False, **kwargs):
        check_keywords(type(self), kwargs)
        check_boolean("trainable", trainable)
        elmo = _embedding(spec, kwargs)
        super().__init__(
            **{"dtype": elmo.dtype_policy, "trainable": trainable, **kwargs}
        )
        elmo.trainable = trainable
        self.elmo = elmo
        self.supports_masking = False  # since the outputs of `call` carry their masks
        self.built = True

    def __call__(self, inputs=None, *, signature=None, as_dict=None, **kwargs):
        signature = _check_signature(signature)
        check_choice("as_dict", as_dict, (None, True, False))
        inputs = _check_inputs(inputs, signature)
        outputs = masked_if_symbolic(
            super().__call__(
                inputs, signature=signature, as_dict=bool(as_dict), **kwargs
            )
        )
        return _explaining(outputs) if as_dict else outputs

    def call(self, inputs, signature="default", as_dict=False, training=None):
        outputs = self.elmo(inputs, training=training)
        return outputs if as_dict else outputs["default"]

    def get_signature_names(self):
        """The names of the signatures."""
        return list(_SIGNATURES)

    def get_input_info_dict(self, signature=None):
        """What a signature takes: dictionary of `TensorInfo`, with `get_shape()`.

        Args:
            signature: Defaults to None, which is `"default"`.

        Raises:
            ValueError: if there is no such signature.

        Example:

        >>> sorted(Module("tiny_en").get_input_info_dict("tokens"))
        ['sequence_len', 'tokens']
        """
        inputs = _SIGNATURES[_check_signature(signature)]
        return {
            name: TensorInfo(dtype, tf.TensorShape([None] * rank))
            for name, (dtype, rank) in inputs.items()
        }

    def get_output_info_dict(self, signature=None):
        """What a signature returns: dictionary of `TensorInfo`, with `get_shape()`.

        Args:
            signature: Defaults to None, which is `"default"`.

        Raises:
            ValueError: if there is no such signature.

        Example:

        >>> Module("tiny_en").get_output_info_dict()["default"].get_shape()[1]
        256
        """
        _check_signature(signature)
        size = self.elmo.bilm.projection_dim
        shapes = dict.fromkeys(self.elmo.output_keys, [None, None, 2 * size])
        shapes.update(word_emb=[None, None, size], default=[None, 2 * size])
        dtype = tf.as_dtype(self.compute_dtype)
        return {
            name: TensorInfo(dtype, tf.TensorShape(shape))
            for name, shape in shapes.items()
        }

    def get_config(self):
        spec = keras.saving.serialize_keras_object(self.elmo)
        return {**super().get_config(), "spec": spec}

    @classmethod
    def from_config(cls, config):
        # Who reloads a model need not have the files that it was made from.
        spec = keras.saving.deserialize_keras_object(config["spec"])
        return cls(**{**config, "spec": spec})


def _embedding(spec, kwargs):
    if not isinstance(spec, ElmoEmbedding):
        dtype = {name: kwargs[name] for name in ("dtype",) if name in kwargs}
        return ElmoEmbedding.from_preset(spec, **dtype)
    if spec.output_key is not None:
        raise ValueError(
            "`spec` should be an `ElmoEmbedding` without `output_key`, since a module "
            f"returns any output. Received: output_key={spec.output_key!r}"
        )
    return spec


def _check_signature(signature):
    check_choice("signature", signature, (None, *_SIGNATURES))
    return "default" if signature is None else signature


def _check_inputs(inputs, signature):
    """The inputs as tensors, if they are what the signature takes."""
    expected = _SIGNATURES[signature]
    if not isinstance(inputs, Mapping):
        if signature == "tokens" or inputs is None:
            raise ValueError(_message(signature, shortened(inputs)))
    elif set(inputs) != set(expected):
        raise ValueError(_message(signature, f"keys {sorted(inputs)}"))
    elif signature == "default":
        inputs = inputs["strings"]
    inputs = as_tensors(inputs)
    named = inputs if signature == "tokens" else {"strings": inputs}
    for name, tensor in named.items():
        if not _has_rank(tensor, expected[name][1], name):
            received = f'"{name}" of shape {tuple(tf.TensorShape(tensor.shape))}'
            raise ValueError(_message(signature, received))
    return inputs


def _has_rank(tensor, rank, name):
    shape = tf.TensorShape(tensor.shape)
    if isinstance(tensor, tf.RaggedTensor):
        return False
    # A column is what Keras makes of sentences, and it means nothing else.
    is_column = name == "strings" and shape[1:] == [1]
    return shape.rank in (None, rank) or is_column


def _message(signature, received):
    if signature == "tokens":
        return (
            '`inputs` should be {"tokens": strings (batch, max_length), '
            '"sequence_len": integers (batch,)} for the signature "tokens". Received: '
            f"{received}. For sentences, leave `signature` out"
        )
    return (
        '`inputs` should be strings (batch,), or {"strings": ...} of them, for the '
        f'signature "default". Received: {received}. For one sentence, pass a list of '
        'one; for tokens, `signature="tokens"`'
    )


def _explaining(outputs):
    """The outputs, with an error that lists their names for a key that is none."""

    def unknown_output():
        raise ValueError(
            f"The key of an output should be one of {list(outputs)}. Received: another"
        )

    # It is a type that Keras and TensorFlow know as a dictionary, unlike one of ours.
    return collections.defaultdict(unknown_output, outputs)
