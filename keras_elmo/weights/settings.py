"""What a model is besides its sizes and tensors, and what other formats lack of it.

A preset's `config.json` has it all: `"bilm"`, the arguments of the `BiLM`;
`"embedding"`, arguments of the `ElmoEmbedding`; `"mix"`. In formats with no place for
one of these, it goes into an object `keras_elmo`, unless it is what readers of the
format assume.
"""

import warnings
from collections.abc import Mapping
from typing import Any

from keras_elmo.char_ids import NUM_IDS

SECTIONS = ("bilm", "embedding", "mix", "metadata")
_MIX = {"weights", "scaling"}
_EMBEDDING = {"tokenizer": "space", "do_layer_norm": False}
# A file may set no further arguments, because Keras builds any object from some.
_ARGUMENTS = {
    "bilm": {
        "filters",
        "units",
        "projection_dim",
        "num_layers",
        "embedding_dim",
        "num_highway_layers",
        "activation",
        "cell_clip",
        "projection_clip",
        "use_skip_connections",
        "max_characters",
        "num_characters",
        "num_words",
        "word_embedding_dim",
        "sentence_boundaries",
    },
    "embedding": {
        "sentence_boundaries",
        "cached_words",
        "token_vocabulary",
        *_EMBEDDING,
    },
}


def check_settings(settings: Any) -> dict[str, Any]:
    """The four sections, each of which the file may leave out.

    What else is there is ignored, with a warning.

    Raises:
        ValueError: if one of them is not as `not_stored_by_format` returns it.
    """
    if not isinstance(settings, Mapping):
        raise ValueError("it is no object")
    settings = {"bilm": {}, "embedding": {}, "mix": None, "metadata": {}, **settings}
    for part in ("bilm", "embedding", "metadata"):
        if not isinstance(settings[part], Mapping):
            raise ValueError(f"{part!r} is no object")
    for part, known in _ARGUMENTS.items():
        unknown = [key for key in settings[part] if key not in known]
        if unknown:
            raise ValueError(
                f"{part!r} holds {unknown}, which decide nothing that this version "
                f"knows of; it knows {sorted(known)}"
            )
    unknown = [part for part in settings if part not in SECTIONS]
    if unknown:
        warnings.warn(
            f"The parts {unknown} mean nothing to keras_elmo, which knows "
            f"{list(SECTIONS)}. They are ignored.",
            stacklevel=2,
        )
    words = settings["embedding"].get("cached_words")
    # Keras would read a string as the path or address of a vocabulary.
    if words is not None and not isinstance(words, list | tuple):
        raise ValueError(f"'cached_words' is no list of words: {str(words)[:100]!r}")
    mix = settings["mix"]
    if mix is not None and not (isinstance(mix, Mapping) and set(mix) == _MIX):
        raise ValueError(f"'mix' does not hold just {sorted(_MIX)}")
    return {part: settings[part] for part in SECTIONS}


def not_stored_by_format(
    config: Mapping[str, Any], implied: Mapping[str, Any]
) -> dict[str, Any]:
    """What a format lacks of a preset's `config`.

    Args:
        config: The four parts.
        implied: What readers of the format take as arguments of the `BiLM` that it
            has no place for.

    Returns:
        Those parts, or what is left of them. Nothing, if readers assume it all.
    """
    bilm, mix = config["bilm"], config["mix"]
    # The value of the biLM is the default, which need not be stored twice.
    usual = {**_EMBEDDING, "sentence_boundaries": bilm["sentence_boundaries"]}
    settings = {
        "bilm": {key: bilm[key] for key in implied if bilm[key] != implied[key]},
        "embedding": {
            key: value
            for key, value in config["embedding"].items()
            if key not in usual or value != usual[key]
        },
        "mix": mix if mix is not None and not _is_initial(mix) else None,
        "metadata": config["metadata"],
    }
    return {part: value for part, value in settings.items() if value}


def check_bytes(bilm: Mapping[str, Any], format: str) -> None:
    """Refuses what no format but the preset has a place for.

    Args:
        bilm: The arguments of the `BiLM`.
        format: Of the file that would be written.

    Raises:
        ValueError: if the model has a vocabulary of characters or words.
    """
    if bilm["num_characters"] != NUM_IDS or bilm["num_words"]:
        raise ValueError(
            f"A model in {format} should read bytes. Received: one with a vocabulary "
            f"of {bilm['num_characters']} characters and {bilm['num_words']} words, "
            "for which the format has no place. Save it as a preset"
        )


def changes_outputs(extras: Mapping[str, Any]) -> list[str]:
    """What of `extras` makes other readers of a format compute other numbers."""
    return [
        f"{key}={value!r}"
        for part in ("bilm", "embedding")
        for key, value in extras.get(part, {}).items()
        if part == "bilm" or key == "sentence_boundaries"
    ]


def _is_initial(mix: Mapping[str, Any]) -> bool:
    return not any(mix["weights"]) and mix["scaling"] == 1
