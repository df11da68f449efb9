"""What an `ElmoEmbedding` needs before it can be made, or called."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_elmo.bilm import BiLM

# Code for TF-Hub passes these, to its module or to a signature of its SavedModel.
_OF_TFHUB = ("signature", "as_dict", "strings", "tokens", "sequence_len")


def require_tensorflow_2() -> None:
    """Refuses what can't run string operations eagerly.

    Raises:
        RuntimeError: with another backend of Keras, or in TensorFlow 1's graph mode.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "`ElmoEmbedding` takes strings and needs Keras' TensorFlow backend. "
            f"Received: backend {keras.backend.backend()!r}. Set "
            "KERAS_BACKEND=tensorflow, or call the `BiLM` on integers from "
            "`ElmoPreprocessor`."
        )
    if not tf.compat.v1.executing_eagerly_outside_functions():
        raise RuntimeError(
            "`ElmoEmbedding` needs TensorFlow 2's eager execution. Received: graph "
            "mode of TensorFlow 1. Remove `tf.compat.v1.disable_eager_execution()` or "
            "`disable_v2_behavior()`; the layer can be called directly, without a "
            "session"
        )


def check_dtype(policy: Any, bilm: BiLM) -> None:
    """Refuses a dtype policy that is not the biLM's."""
    if policy != bilm.dtype_policy:
        raise ValueError(
            "`dtype` should be that of `bilm`, or be left out. Received: "
            f"dtype={policy.name!r} for bilm of dtype {bilm.dtype_policy.name!r}"
        )


def check_bilm(bilm: object) -> None:
    """Refuses what is no `BiLM`, or one that returns its state."""
    if isinstance(bilm, BiLM) and not bilm.return_state:
        return
    hint = ""
    if isinstance(bilm, str):
        hint = f". To load weights: `ElmoEmbedding.from_preset({bilm!r})`"
    raise ValueError(
        "`bilm` should be a `BiLM` with `return_state=False`. "
        f"Received: bilm={bilm!r}{hint}"
    )


def check_call(keywords: Iterable[str]) -> None:
    """Refuses the arguments that code for TF-Hub's module passes to a call.

    Raises:
        TypeError: if there are any.
    """
    foreign = [name for name in keywords if name in _OF_TFHUB]
    if foreign:
        raise TypeError(
            "A call of `ElmoEmbedding` takes one argument, `inputs`: sentences, or "
            '{"tokens": ..., "sequence_len": ...}; which outputs it returns is '
            f"`output_key` of the constructor. Received: {foreign} as arguments. Code "
            "written for `hub.Module` runs with `keras_elmo.compat.tfhub.Module`"
        )
