"""Checks of the arguments of AllenNLP's classes."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_elmo.bilm import BiLM
from keras_elmo.embedding.word_cache import WordCache
from keras_elmo.text.checks import shortened


def check_clashes(
    module: Any,
    files: Mapping[str, Any],
    requires_grad: bool,
    vocab_to_cache: Any,
    stateful: bool,
) -> None:
    """Refuses arguments that are right, but not together."""
    given = [name for name, value in files.items() if value is not None]
    if module is not None and given:
        raise ValueError(
            "`module` takes the place of `options_file` and `weight_file`. Received: "
            f"`module` and {' and '.join(f'`{name}`' for name in given)}. Leave out "
            "one or the other"
        )
    if module is not None and not isinstance(module, BiLM):
        raise ValueError(
            f"`module` should be a `BiLM`. Received: {module!r} of type "
            f"{type(module).__name__}"
        )
    if module is not None and module.return_state != stateful:
        raise ValueError(
            "`module` should return its state if `stateful`, and only then. Received: "
            f"stateful={stateful} with a `BiLM` of return_state={module.return_state}. "
            f"Pass `module.copy(return_state={stateful})`"
        )
    if requires_grad and vocab_to_cache is not None:
        raise ValueError(
            "`vocab_to_cache` and `requires_grad` can't be used together: training "
            "would change what the cached words were computed by. Received: "
            "requires_grad=True and `vocab_to_cache`. Leave out one or the other"
        )
    if vocab_to_cache is not None and not isinstance(vocab_to_cache, WordCache):
        is_list = isinstance(vocab_to_cache, list | tuple) and len(vocab_to_cache)
        if not is_list or not all(isinstance(word, str) for word in vocab_to_cache):
            raise ValueError(
                "`vocab_to_cache` should be a list of words, one at least. Received: "
                f"vocab_to_cache={shortened(vocab_to_cache)}"
            )
        twice = [word for word, count in Counter(vocab_to_cache).items() if count > 1]
        if twice:
            raise ValueError(
                "`vocab_to_cache` should hold every word once, because its place is "
                f"its number. Received: {twice[:3]} more than once"
            )


def check_mix(scalar_mix_parameters: Any, module: BiLM) -> list[float] | None:
    """One number a layer, or None."""
    if scalar_mix_parameters is None:
        return None
    try:
        numbers = [float(number) for number in scalar_mix_parameters]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 1 + module.num_layers or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"`scalar_mix_parameters` should be {1 + module.num_layers} finite "
            "numbers, one a layer of the model and one for its `word_emb`. Received: "
            f"scalar_mix_parameters={shortened(scalar_mix_parameters)}"
        )
    return numbers


def check_device(cuda_device: int) -> int:
    """The number of a GPU, or -1, if TensorFlow sees it."""
    count = len(tf.config.list_physical_devices("GPU"))
    is_number = isinstance(cuda_device, int) and not isinstance(cuda_device, bool)
    if not is_number or not -1 <= cuda_device < count:
        raise ValueError(
            "`cuda_device` should be -1, or the number of one of the GPUs that "
            f"TensorFlow sees, which are {count}, from 0 on. Received: "
            f"cuda_device={cuda_device!r}. Leave it out for the processor"
        )
    return cuda_device
