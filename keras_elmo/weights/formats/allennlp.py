"""`options.json` and `weights.hdf5` of AllenNLP, bilm-tf and simple_elmo.

`keras-elmo convert` names the two after each other: `elmo.options.json`, `elmo.hdf5`.
"""

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_file
from keras_elmo.presets import bundled, find_published
from keras_elmo.weights import mapping, settings, tables
from keras_elmo.weights.containers.hdf5 import read_arrays, write_arrays
from keras_elmo.weights.formats import options
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "HDF5"
ENDINGS = (".hdf5", ".h5")
# The format has no place for these, because all its readers add boundaries.
IMPLIED = {"sentence_boundaries": True}
# The format stores these, but AllenNLP always uses these values.
_IGNORED_BY_ALLENNLP = {"max_characters": 50}
_OPTIONS = ("options.json", "*options*.json")
_WEIGHTS = ("weights.hdf5", "model.hdf5", "*.hdf5")
VOCABULARIES = ("vocabulary.txt", "vocab.txt", "vocab.txt.gz")
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_pair(
    options_file: str | os.PathLike | Mapping, weights: str | os.PathLike
) -> StoredModel:
    """Opens the two files.

    Args:
        options_file: Path of `options.json`, or its content.
        weights: Path of `weights.hdf5`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if one of them is broken.
    """
    _check_path("weights", weights)
    if not isinstance(options_file, Mapping):
        _check_path("options", options_file)
        _check_not_swapped(options_file, weights)
    arguments, extras = options.open_options(options_file)
    return StoredModel(
        format=FORMAT,
        origin=os.fspath(weights),
        described_in=options.name(options_file),
        arguments={**arguments, **IMPLIED, **extras["bilm"]},
        table=tables.HDF5,
        arrays=read_arrays(weights),
        embedding=extras["embedding"],
        mix=extras["mix"],
        metadata=extras["metadata"],
    )


def recognizes(path: Path) -> bool:
    """Whether this is a folder with the two files, or the file of the weights."""
    if path.is_file():
        return path.suffix in ENDINGS
    return any(path.glob(_WEIGHTS[-1])) and any(path.glob(_OPTIONS[-1]))


def open_folder(path: Path) -> StoredModel:
    """Opens a folder with the two files, or the weights with the options beside them.

    Raises:
        FileNotFoundError, ValueError: see `open_pair`; or if it is not clear which
            files belong together.
    """
    weights = path if path.is_file() else _find_weights(path)
    folder = weights.parent
    vocabulary = _find(folder, VOCABULARIES)
    pair = open_pair(_find_options(weights), weights)
    return dataclasses.replace(pair, vocabulary=vocabulary)


def options_name(weights: Path) -> Path:
    """Where the options belong of weights that have a name of their own."""
    return weights.with_name(f"{weights.stem}.options.json")


def changes_outputs(config: Mapping[str, Any]) -> list[str]:
    """Settings of a model that AllenNLP and bilm-tf would not follow."""
    extras = settings.not_stored_by_format(config, {**IMPLIED, **_IGNORED_BY_ALLENNLP})
    return settings.changes_outputs(extras)


def check_target(
    options_file: str | os.PathLike, weights: str | os.PathLike, overwrite: bool
) -> None:
    """Refuses what `write_pair` would."""
    check_file("weights", weights, overwrite)
    check_file("options", options_file, overwrite)


def write_pair(
    options_file: str | os.PathLike,
    weights: str | os.PathLike,
    config: Mapping[str, Any],
    variables: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Writes a model, both files whole or neither.

    Args:
        options_file: Path of the `options.json` to write.
        weights: Path of the `weights.hdf5` to write.
        config: The settings as a preset holds them, see `settings`.
        variables: The variables of the `BiLM` by our names.
        overwrite: Whether to replace files that exist. Defaults to False.

    Raises:
        FileExistsError: if one of the files exists, without `overwrite`.
        ValueError: if the model has an activation that the format lacks, or a
            vocabulary of characters.
    """
    check_target(options_file, weights, overwrite)
    settings.check_bytes(config["bilm"], FORMAT)
    extras = settings.not_stored_by_format(config, IMPLIED)
    with replacing(options_file) as new_options, replacing(weights) as new_weights:
        options.write_options(new_options, config["bilm"], extras)
        write_arrays(new_weights, mapping.collect(tables.HDF5, variables))


def _check_path(argument: str, path: Any) -> None:
    """Refuses what is not the path of a file, but may be loaded in another way."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(
            f"`{argument}` should be the path of a file. Received: {argument}={path!r} "
            f"of type {type(path).__name__}"
        )
    name = os.fspath(path)
    if os.path.exists(name) or not isinstance(name, str):
        return
    model = find_published(name)
    if model or name in bundled():
        known_name = model.name if model else name
        advice = f"a pretrained model. Load it by `from_preset({known_name!r})`"
    elif name.lower().startswith(("http://", "https://")):
        advice = (
            "an address. Download the file and give its path; published models and "
            "archives are downloaded by `from_preset`"
        )
    else:
        return
    raise FileNotFoundError(
        f"`{argument}` should be the path of a file. Received: {argument}={name!r}, "
        f"{advice}"
    )


def _check_not_swapped(
    options_file: str | os.PathLike, weights: str | os.PathLike
) -> None:
    if not os.path.isfile(options_file):
        return
    with open(options_file, "rb") as file:
        if file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE:
            raise ValueError(
                "`options` should be a JSON file, and `weights` an HDF5 file. "
                f"Received: options={os.fspath(options_file)!r}, which is HDF5, and "
                f"weights={os.fspath(weights)!r}. The two seem swapped: the options "
                "come first"
            )


def _find_weights(folder: Path) -> Path:
    weights = _find(folder, _WEIGHTS)
    if weights is None:
        found = sorted(path.name for path in folder.glob(_WEIGHTS[-1]))
        raise ValueError(
            f"A folder should hold one {_WEIGHTS[0]}. Received: {os.fspath(folder)!r} "
            f"with {found}. Give the path of one of them"
        )
    return weights


def _find_options(weights: Path) -> Path:
    """The options beside weights: those named after them, or the only ones."""
    named = _named_after(weights)
    for path in named:
        if path.is_file():
            return path
    folder = weights.parent
    others = [path for path in folder.iterdir() if path.suffix in ENDINGS]
    of_others = {path for other in others for path in _named_after(other)}
    found = _find(folder, _OPTIONS, of_others - {folder / _OPTIONS[0]})
    if found is None:
        raise FileNotFoundError(
            f"Weights should have their options beside them: {named[0].name} or "
            f"{_OPTIONS[0]}. Received: {os.fspath(weights)!r}, where there are none, "
            "or several. Give both paths, the options first"
        )
    return found


def _named_after(weights: Path) -> list[Path]:
    """How this package, and AllenNLP, name the options of these weights."""
    names = [options_name(weights)]
    if "weights" in weights.stem:
        stem = weights.stem.replace("weights", "options")
        names.append(weights.with_name(f"{stem}.json"))
    return names


def _find(
    folder: Path, patterns: tuple[str, ...], excluded: Collection[Path] = ()
) -> Path | None:
    """The file of the first pattern that exactly one file matches."""
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path not in excluded)
        if len(found) == 1:
            return found[0]
    return None
