"""`options.json` of AllenNLP and bilm-tf, as arguments of a `BiLM` and back."""

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keras_elmo.files.atomic import replacing
from keras_elmo.files.strict_json import parse
from keras_elmo.weights.settings import check_settings

_REQUIRED = object()


class _Place(NamedTuple):
    """Where an argument of `BiLM` stands in the options."""

    section: str
    key: str
    default: Any = _REQUIRED


_PLACES = {
    "filters": _Place("char_cnn", "filters"),
    "units": _Place("lstm", "dim"),
    "projection_dim": _Place("lstm", "projection_dim"),
    "num_layers": _Place("lstm", "n_layers", 1),
    "embedding_dim": _Place("char_cnn", "embedding"),
    "num_highway_layers": _Place("char_cnn", "n_highway", 0),
    "activation": _Place("char_cnn", "activation"),
    "cell_clip": _Place("lstm", "cell_clip", None),
    "projection_clip": _Place("lstm", "proj_clip", None),
    "use_skip_connections": _Place("lstm", "use_skip_connections", False),
    "max_characters": _Place("char_cnn", "max_characters_per_token", 50),
}
# Files of bilm-tf and AllenNLP also hold these keys, which ELMo does not need.
_OTHERS = {
    "lstm": set(),
    "char_cnn": {"n_characters"},
    "": {
        "lstm",
        "char_cnn",
        "bidirectional",
        "dropout",
        "all_clip_norm_val",
        "n_epochs",
        "n_train_tokens",
        "batch_size",
        "n_tokens_vocab",
        "unroll_steps",
        "n_negative_samples_batch",
        "sample_softmax",
        "learning_rate",
    },
}
# The section that `write_options` adds, see `settings`.
SETTINGS = "keras_elmo"
_ACTIVATIONS = ("relu", "tanh")
# bilm-tf writes 261 while it trains; its users change that to 262, which counts id 0.
_CHARACTER_COUNTS = (261, 262)


def open_options(
    options: str | os.PathLike | Mapping,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of the `BiLM`, and the `keras_elmo` settings beside them.

    Raises:
        FileNotFoundError, ValueError: see `read_options`, `to_arguments` and
            `to_settings`.
    """
    content = read_options(options)
    try:
        return to_arguments(content), to_settings(content)
    except ValueError as error:
        if isinstance(options, Mapping):
            raise
        raise ValueError(
            f"{error}. Correct that in {os.fspath(options)!r}, or fetch the file again"
        ) from error


def read_options(options: str | os.PathLike | Mapping) -> Mapping:
    """The options as a dictionary, from a JSON file or as they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON, or not an object.
    """
    if isinstance(options, Mapping):
        return options
    path = Path(options)
    if not path.is_file():
        raise FileNotFoundError(
            "`options` should be the path of an options.json, or its content as a "
            f"dictionary. Received: options={os.fspath(options)!r}, which is no file"
        )
    try:
        parsed = parse(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of the JSON, or of the encoding
        raise ValueError(
            f"`options` should be a JSON file. Received: options={os.fspath(path)!r}, "
            f"which could not be parsed ({error}). Correct it, or fetch it again"
        ) from error
    if not isinstance(parsed, Mapping):
        raise ValueError(
            "`options` should be a JSON object with the keys 'lstm' and 'char_cnn'. "
            f"Received: a {type(parsed).__name__} in {os.fspath(path)!r}. Correct it, "
            "or fetch it again"
        )
    return parsed


def name(options: str | os.PathLike | Mapping) -> str:
    """What to call the options in an error."""
    return "`options`" if isinstance(options, Mapping) else os.fspath(options)


def to_arguments(options: Mapping) -> dict[str, Any]:
    """The arguments of the `BiLM` that the options describe.

    Raises:
        ValueError: if a key is missing (all missing ones are named) or a value
            is one that ELMo does not have.
    """
    for section in ("lstm", "char_cnn"):
        if not isinstance(options.get(section), Mapping):
            raise ValueError(
                f"`options` should hold an object {section!r}; a language model "
                f"without either is not ELMo. Received: keys {list(options)}"
            )
    arguments = {
        argument: options[place.section].get(place.key, place.default)
        for argument, place in _PLACES.items()
    }
    embedding = arguments["embedding_dim"]  # an object with one number
    if isinstance(embedding, Mapping):
        arguments["embedding_dim"] = embedding.get("dim", _REQUIRED)
    missing = [
        f"{_PLACES[argument].section}.{_PLACES[argument].key}"
        for argument, value in arguments.items()
        if value is _REQUIRED
    ]
    if missing:
        raise ValueError(
            f"`options` should hold all of ELMo's sizes. Received: no {missing}"
        )
    _check_values(options)
    _warn_of_unknown_keys(options)
    return arguments


def to_settings(options: Mapping) -> dict[str, Any]:
    """The `keras_elmo` section, see `settings.not_stored_by_format`; empty if none.

    Raises:
        ValueError: if it holds something else.
    """
    try:
        return check_settings(options.get(SETTINGS, {}))
    except ValueError as error:
        raise ValueError(
            f"`options` should hold what `to_hdf5` writes under {SETTINGS!r}. "
            f"Received: something else ({error})"
        ) from error


def from_config(config: Mapping) -> dict[str, Any]:
    """Options that describe a `BiLM` with this `get_config()`."""
    options: dict[str, Any] = {"lstm": {}, "char_cnn": {}}
    for argument, place in _PLACES.items():
        options[place.section][place.key] = config[argument]
    options["char_cnn"]["embedding"] = {"dim": config["embedding_dim"]}
    options["char_cnn"]["n_characters"] = max(_CHARACTER_COUNTS)
    return options


def write_options(
    path: str | os.PathLike, config: Mapping, settings: Mapping | None = None
) -> None:
    """Writes the options of a `BiLM` with this `get_config()`, whole or not at all.

    Args:
        path: The file to write.
        config: The `get_config()`.
        settings: What the format has no place for, see `settings.not_stored_by_format`.

    Raises:
        ValueError: if the model has an activation that the format lacks.
    """
    options = from_config(config)
    _check_values(options)
    if settings:
        options[SETTINGS] = dict(settings)
    with replacing(path) as temporary:
        Path(temporary).write_text(json.dumps(options), encoding="utf-8")


def _warn_of_unknown_keys(options: Mapping) -> None:
    known = {SETTINGS} | _OTHERS[""]
    unknown = [str(key) for key in options if key not in known]
    for section in ("lstm", "char_cnn"):
        places = {p.key for p in _PLACES.values() if p.section == section}
        known = places | _OTHERS[section]
        unknown += [f"{section}.{key}" for key in options[section] if key not in known]
    if unknown:
        warnings.warn(
            f"`options` hold keys that ELMo does not know: {unknown}. They are "
            "ignored.",
            stacklevel=2,
        )


def _check_values(options: Mapping) -> None:
    activation = options["char_cnn"]["activation"]
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"`options` should name one of {list(_ACTIVATIONS)} under "
            f"char_cnn.activation. Received: {activation!r}"
        )
    count = options["char_cnn"].get("n_characters", 262)
    if count not in _CHARACTER_COUNTS:
        raise ValueError(
            "`options` should give 262 under char_cnn.n_characters: 256 bytes, 5 "
            f"special ids and 'no token'. Received: {count!r}"
        )
    if options.get("bidirectional", True) is not True:
        raise ValueError(
            "`options` should describe a bidirectional model. Received: "
            f"bidirectional={options['bidirectional']!r}"
        )
