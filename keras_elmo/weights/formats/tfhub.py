"""TF-Hub modules: google/elmo/1, 2, 3 and DeepPavlov's.

Only their checkpoint is read; the graph is never run.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_folder
from keras_elmo.files.strict_json import parse
from keras_elmo.weights import mapping, settings, tables
from keras_elmo.weights.containers import checkpoint
from keras_elmo.weights.formats import options
from keras_elmo.weights.mapping import LazyArray
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "TF-Hub"
# A file that `write_folder` writes beside the checkpoint.
SETTINGS = "keras_elmo.json"
# Every checkpoint of TensorFlow 2 holds this tensor.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VARIABLES = Path("variables/variables")
# The checkpoint does not hold these: they are constants of the graph in Google's
# modules.
IMPLIED = {
    "activation": "relu",
    "cell_clip": 3.0,
    "projection_clip": 3.0,
    "use_skip_connections": True,
    "max_characters": 50,
    "sentence_boundaries": False,
}


class _Names(NamedTuple):
    """What a family of modules calls the mix, and how it runs."""

    weights: str
    scaling: str
    sentence_boundaries: bool


_GOOGLE = _Names("aggregation/weights", "aggregation/scaling", False)
_DEEPPAVLOV = _Names(
    "aggregation/elmo_output_ELMo_W", "aggregation/elmo_output_ELMo_gamma", True
)
# DeepPavlov's modules also hold a state that they carry from batch to batch, and a step
# count.
_IGNORED = re.compile(r"(Variable(_\d+)?|global_step)")


def find_prefix(folder: Path) -> Path | None:
    """The checkpoint of a module's folder."""
    for prefix in (folder / _VARIABLES, folder / _VARIABLES.name):
        if checkpoint.find_prefix(prefix):
            return prefix
    return None


def recognizes(folder: Path) -> bool:
    """Whether a folder is a TF-Hub module, or at least holds its variables."""
    return find_prefix(folder) is not None


def open_folder(folder: Path, options_file: Any = None) -> StoredModel:
    """Opens a module.

    Args:
        folder: The module, of which `variables/` suffices.
        options_file: Path of an `options.json`, or its content, for a module that is
            not made as Google's. Defaults to None.

    Raises:
        FileNotFoundError: if there are no variables.
        ValueError: if they are broken, or not those of ELMo.
    """
    prefix = find_prefix(folder)
    if prefix is None:
        raise FileNotFoundError(
            "A TF-Hub module should be a folder with variables/variables.index. "
            f"Received: {os.fspath(folder)!r}, which has none"
        )
    origin = os.fspath(prefix)
    arrays = checkpoint.read_arrays(prefix)
    _refuse_exported(arrays, origin)
    arrays = {name: a for name, a in arrays.items() if not _IGNORED.fullmatch(name)}
    names = _DEEPPAVLOV if _DEEPPAVLOV.weights in arrays else _GOOGLE
    mix = _take_mix(arrays, names, origin)
    extras = _read_settings(folder / SETTINGS)
    arguments = {
        **IMPLIED,
        "sentence_boundaries": names.sentence_boundaries,
        **infer_sizes(arrays, tables.TFHUB, origin),
        **extras["bilm"],
    }
    if options_file is not None:
        arguments |= options.open_options(options_file)[0]
    return StoredModel(
        format=FORMAT,
        origin=origin,
        described_in=origin if options_file is None else options.name(options_file),
        arguments=arguments,
        table=tables.TFHUB,
        arrays=arrays,
        embedding=extras["embedding"],
        mix=mix,
        metadata=extras["metadata"],
    )


def changes_outputs(config: Mapping[str, Any]) -> list[str]:
    """Settings of a model that the graph of Google's modules would not follow."""
    return settings.changes_outputs(settings.not_stored_by_format(config, IMPLIED))


def check_target(folder: str | os.PathLike, overwrite: bool) -> None:
    """Refuses what `write_folder` would."""
    check_folder(folder, f"{_VARIABLES}.index", "a TF-Hub module", overwrite)


def write_folder(
    folder: str | os.PathLike,
    config: Mapping[str, Any],
    variables: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Writes a checkpoint of TensorFlow 1 under Google's names, whole or not at all.

    What those have no place for goes into `keras_elmo.json` beside it.

    Args:
        folder: The folder to write: new, or empty.
        config: The settings as a preset holds them, see `settings`.
        variables: The variables of the `BiLM` by our names.
        overwrite: Whether to replace a module that is there. Defaults to False.

    Raises:
        FileExistsError: if `folder` holds a module, without `overwrite`.
        ValueError: if `folder` holds something else.
    """
    check_target(folder, overwrite)
    settings.check_bytes(config["bilm"], FORMAT)
    arrays = mapping.collect(tables.TFHUB, variables)
    mix = config["mix"]
    if mix is not None:
        arrays[_GOOGLE.weights] = np.array(mix["weights"], "float32")
        arrays[_GOOGLE.scaling] = np.array(mix["scaling"], "float32")
    extras = settings.not_stored_by_format({**config, "mix": None}, IMPLIED)
    with replacing(folder) as temporary:
        prefix = Path(temporary) / _VARIABLES
        prefix.parent.mkdir(parents=True)
        checkpoint.write_arrays(prefix, arrays)
        if extras:
            text = json.dumps(extras, indent=2, ensure_ascii=False)
            (Path(temporary) / SETTINGS).write_text(text, encoding="utf-8")


def infer_sizes(
    arrays: Mapping[str, LazyArray], table: tuple[mapping.Entry, ...], origin: str
) -> dict[str, Any]:
    """The sizes of a `BiLM`, from the shapes of a checkpoint's tensors.

    Raises:
        ValueError: if those that tell them are missing or of another rank.
    """
    prefix = table[0].stored_name.removesuffix("char_embed")
    shapes = {
        name.removeprefix(prefix): array.shape
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    try:
        return _sizes(shapes)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"A checkpoint of ELMo should hold {prefix}char_embed, {prefix}CNN/W_cnn_0 "
            f"and {prefix}RNN_0/..., as bilm-tf names them. Received: {origin!r} with "
            f"{sorted(arrays)[:5]} and so on. Check that it is a checkpoint of ELMo"
        ) from error


def _sizes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    cells = sorted(n for n in shapes if n.startswith("RNN_0/") and "kernel" in n)
    kernels = [name for name in cells if "projection" not in name]
    filters: list[list[int]] = []
    while (shape := shapes.get(f"CNN/W_cnn_{len(filters)}")) is not None:
        filters.append([shape[1], shape[3]])
    num_highway_layers = 0
    while f"CNN_high_{num_highway_layers}/W_carry" in shapes:
        num_highway_layers += 1
    projection_dim, units = shapes[kernels[0]][0] // 2, shapes[kernels[0]][1] // 4
    return {
        "filters": filters,
        "units": units,
        "projection_dim": projection_dim,
        "num_layers": len(kernels),
        "embedding_dim": shapes["char_embed"][1],
        "num_highway_layers": num_highway_layers,
    }


def _refuse_exported(arrays: Mapping[str, LazyArray], origin: str) -> None:
    """Refuses a SavedModel of TensorFlow 2: its tensors have lost their names."""
    if _OBJECT_GRAPH in arrays:
        raise ValueError(
            "A TF-Hub module should hold ELMo's tensors by their names, as modules of "
            f"TensorFlow 1 do. Received: {origin!r}, part of an exported SavedModel of "
            "TensorFlow 2, such as `ElmoEmbedding.export` writes. Load it with "
            "`tf.saved_model.load(folder)`, or load the preset that it was made from"
        )


def _take_mix(
    arrays: dict[str, LazyArray], names: _Names, origin: str
) -> dict[str, Any] | None:
    """Takes the mix out of `arrays`, because the biLM has none."""
    if names.weights not in arrays or names.scaling not in arrays:
        return None
    weights, scaling = arrays.pop(names.weights), arrays.pop(names.scaling)
    if len(weights.shape) != 1 or scaling.shape not in ((), (1,)):
        raise ValueError(
            f"{names.weights} should be (layers,) and {names.scaling} () or (1,). "
            f"Received: shapes {weights.shape} and {scaling.shape} in {origin!r}. "
            "Check that this is a module of ELMo"
        )
    return {
        "weights": weights[:].tolist(),
        "scaling": scaling[...].reshape(()).item(),
    }


def _read_settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return settings.check_settings({})
    try:
        return settings.check_settings(parse(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(
            f"{path.name} should be JSON as `to_tfhub` writes it. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). Correct it, or "
            "delete it where the module is one of Google's"
        ) from error
