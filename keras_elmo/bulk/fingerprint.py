"""Which weights an embedding has."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding


def fingerprint(elmo: ElmoEmbedding) -> str:
    """SHA-256 of all that decides the numbers of an embedding, besides its tokenizer.

    It is the same wherever the weights lie, and in whichever format.

    Example:

    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> len(fingerprint(elmo))
    64
    """
    settings = elmo.settings()
    settings["embedding"].pop("tokenizer", None)
    settings["dtype"] = elmo.dtype_policy.name
    settings["start_state"] = elmo.start_state
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    _add(digest, elmo.bilm_variables())
    for name, variables in sorted(elmo.extra_weights().items()):
        digest.update(name.encode())
        _add(digest, variables)
    return digest.hexdigest()


def _add(digest: Any, variables: Mapping[str, Any]) -> None:
    for name, variable in sorted(variables.items()):
        array = np.ascontiguousarray(ops.convert_to_numpy(variable), "<f4")
        digest.update(f"{name} {array.shape}".encode())
        digest.update(array.data)
