"""Requests that a server makes to itself, so that its first answers are not slow.

TensorFlow Serving reads them from a file of the messages `PredictionLog`, defined in
`tensorflow_serving/apis/prediction_log.proto`. The package that comes with these goes
with one release of TensorFlow and brings gRPC, while all that is needed of it are a few
fields around tensors, which TensorFlow itself encodes. So they are written here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from keras_elmo.text.checks import shortened
from keras_elmo.text.sentences import token_lists

# A server refuses a model with more; see its `g3doc/saved_model_warmup.md`.
_MOST_REQUESTS = 1000
_SIGNATURES = 3
# These are numbers of fields in `PredictionLog`, `PredictLog`, `PredictRequest`,
# `ModelSpec` and the entries of maps, and the wire type of bytes and messages.
_PREDICT_LOG, _REQUEST = 6, 1
_MODEL_SPEC, _INPUTS = 1, 2
_SIGNATURE_NAME = 3
_KEY, _VALUE = 1, 2
_HAS_LENGTH = 2


def warm_up_requests(sentences: Sequence[str], tokenizer: str) -> list[bytes]:
    """Each sentence as a request of its own to every signature.

    Args:
        sentences: See `warm_up` of `ElmoEmbedding.export`.
        tokenizer: Name of one of `TOKENIZERS`.

    Returns:
        The records of a warm-up file.

    Raises:
        ValueError: if these are no strings, none, or more than a server takes.
    """
    most = _MOST_REQUESTS // _SIGNATURES
    is_list = isinstance(sentences, list | tuple) and 0 < len(sentences) <= most
    if not is_list or not all(isinstance(sentence, str) for sentence in sentences):
        count = f" ({len(sentences)} of them)" if hasattr(sentences, "__len__") else ""
        raise ValueError(
            f"`warm_up` should be a list of 1 to {most} sentences, which are strings: "
            f"a server takes {_MOST_REQUESTS} requests, and a sentence is one to each "
            f"of the {_SIGNATURES} signatures. Received: "
            f"warm_up={shortened(sentences)}{count}"
        )
    requests = []
    for sentence, tokens in zip(
        sentences, token_lists(sentences, tokenizer), strict=True
    ):
        strings = {"strings": tf.constant([sentence])}
        padded = {
            "tokens": tf.constant([tokens], tf.string, (1, len(tokens))),
            "sequence_len": tf.constant([len(tokens)], tf.int32),
        }
        requests += [
            _prediction_log("serving_default", strings),
            _prediction_log("default", strings),
            _prediction_log("tokens", padded),
        ]
    return requests


def write_warm_up(folder: str | os.PathLike, requests: Sequence[bytes]) -> None:
    """Writes the warm-up file of the SavedModel in `folder`."""
    path = Path(folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for request in requests:
            writer.write(request)


def _prediction_log(signature: str, inputs: Mapping[str, tf.Tensor]) -> bytes:
    """A `PredictionLog` of a call. The model's name is up to the server."""
    request = _field(_MODEL_SPEC, _field(_SIGNATURE_NAME, signature.encode()))
    for name, tensor in inputs.items():
        proto = tf.make_tensor_proto(tensor).SerializeToString()
        entry = _field(_KEY, name.encode()) + _field(_VALUE, proto)
        request += _field(_INPUTS, entry)
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """A field of a message of Protocol Buffers, which is bytes or a message itself."""
    return _varint(number << 3 | _HAS_LENGTH) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth set."""
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])
