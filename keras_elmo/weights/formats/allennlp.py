"""`options.json` and `weights.hdf5` of AllenNLP, bilm-tf and simple_elmo."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_elmo.weights import mapping, settings, tables
from keras_elmo.weights.containers.hdf5 import read_arrays, write_arrays
from keras_elmo.weights.formats import options
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "HDF5"


# The format has no place for these: its own readers compute so.
IMPLIED = {"sentence_boundaries": True}


# It has a place for these, at which AllenNLP does not look.
_IGNORED_BY_ALLENNLP = {"max_characters": 50}


_OPTIONS = ("options.json", "*options*.json")


_WEIGHTS = ("weights.hdf5", "model.hdf5", "*.hdf5")


VOCABULARIES = ("vocabulary.txt", "vocab.txt")


def open_pair(
    options_file: str | os.PathLike | Mapping, weights: str | os.PathLike
) -> StoredModel:
    """The two files as a `Source`.

    Args:
        options_file: Path of `options.json`, or its content.
        weights: Path of `weights.hdf5`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if one of them is broken.
    """
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


def recognizes(folder: Path) -> bool:
    """Whether a folder holds the two files."""
    return all(_find(folder, patterns) for patterns in (_OPTIONS, _WEIGHTS))


def open_folder(folder: Path) -> StoredModel:
    """A folder with the two files, as those of simple_elmo, as a `StoredModel`."""
    options_file, weights = (
        _find(folder, patterns) or folder / patterns[0]
        for patterns in (_OPTIONS, _WEIGHTS)
    )
    vocabulary = _find(folder, VOCABULARIES)
    return dataclasses.replace(open_pair(options_file, weights), vocabulary=vocabulary)


def changes_outputs(config: Mapping[str, Any]) -> list[str]:
    """What of a model AllenNLP and bilm-tf would compute otherwise."""
    extras = settings.not_stored_by_format(config, {**IMPLIED, **_IGNORED_BY_ALLENNLP})
    return settings.changes_outputs(extras)


def write_pair(
    options_file: str | os.PathLike,
    weights: str | os.PathLike,
    config: Mapping[str, Any],
    variables: Mapping[str, Any],
) -> None:
    """Writes a model, each file whole or not at all.

    Args:
        options_file: Path of the `options.json` to write.
        weights: Path of the `weights.hdf5` to write.
        config: As of a preset, see `settings`.
        variables: The variables of the `BiLM` by our names.
    """
    extras = settings.not_stored_by_format(config, IMPLIED)
    options.write_options(options_file, config["bilm"], extras)
    write_arrays(weights, mapping.collect(tables.HDF5, variables))


def _find(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    """The file of the first pattern that just one file fits."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0]
    return None
