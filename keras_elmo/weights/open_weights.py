"""All formats behind one function."""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_elmo.files import archive
from keras_elmo.presets import locate
from keras_elmo.weights import WEIGHTS
from keras_elmo.weights.formats import (
    allennlp,
    bilm_tf,
    elmo_for_many_langs,
    preset_folder,
    tfhub,
)
from keras_elmo.weights.open_archive import open_archive
from keras_elmo.weights.stored_model import StoredModel

Format = tuple[Callable[[Path], bool], Callable[[Path], StoredModel]]
# The order matters: beside a checkpoint of bilm-tf may lie older weights in HDF5, and
# ELMoForManyLangs has a config.json, as presets have.
_FORMATS: tuple[Format, ...] = tuple(
    (module.recognizes, module.open_folder)
    for module in (elmo_for_many_langs, preset_folder, tfhub, bilm_tf, allennlp)
)


def open_weights(
    source: str | os.PathLike | Sequence[str | os.PathLike],
) -> StoredModel:
    """Pretrained weights of any format, as users name them.

    Args:
        source: The name of a preset; the path of a preset, of a TF-Hub module, of an
            archive, of a folder of simple_elmo or ELMoForManyLangs, of a checkpoint of
            bilm-tf or its folder, of a `weights.hdf5` with its options beside it; or a
            pair of paths, `options.json` and `weights.hdf5`.

    Raises:
        FileNotFoundError: if there is no such thing.
        ValueError: if it is broken, or of no known format.
    """
    paths = _as_paths(source)
    if len(paths) == 2:
        return allennlp.open_pair(*paths)
    (name,) = paths
    path = Path(name)
    # A checkpoint is named by its prefix, which is the path of no file.
    return _open(path if bilm_tf.recognizes(path) else locate(name), _FORMATS)


def open_module(module: str | os.PathLike, options: Any = None) -> StoredModel:
    """A TF-Hub module, see `tfhub.open_folder`; or its archive, address or name.

    Raises:
        FileNotFoundError, ValueError: see `open_weights`.
    """
    if not isinstance(module, str | os.PathLike):
        raise ValueError(
            "`module` should be the folder, archive, address or name of a TF-Hub "
            f"module. Received: module={module!r} of type {type(module).__name__}"
        )
    open_folder = functools.partial(tfhub.open_folder, options_file=options)
    # What is not recognized is opened all the same: the error then tells what it lacks.
    anything = (lambda path: True, open_folder)
    return _open(locate(module), [(tfhub.recognizes, open_folder), anything])


def _as_paths(source: Any) -> list[Any]:
    """The one path, or the two, that `source` is.

    Raises:
        ValueError: if it is something else.
    """
    paths = list(source) if isinstance(source, list | tuple) else [source]
    wrong = [path for path in paths if not isinstance(path, str | os.PathLike)]
    # Options may also be given by their content.
    if len(paths) == 2 and isinstance(paths[0], Mapping):
        wrong.remove(paths[0])
    if wrong:
        raise ValueError(
            f"Weights should be {WEIGHTS}; each a string or a path. Received: "
            f"{wrong[0]!r} of type {type(wrong[0]).__name__}"
        )
    if len(paths) not in (1, 2):
        raise ValueError(f"Weights should be {WEIGHTS}. Received: {paths}")
    return paths


def _open(path: Path, formats: Sequence[Format]) -> StoredModel:
    if archive.is_archive(path):
        return open_archive(path, functools.partial(_open, formats=formats))
    for recognizes, open_folder in formats:
        for candidate in (path, *_only_folder(path)):
            if recognizes(candidate):
                return open_folder(candidate)
    raise ValueError(
        f"Weights should be {WEIGHTS}. Received: {os.fspath(path)!r}, which is none of "
        "these"
    )


def _only_folder(path: Path) -> list[Path]:
    """The single folder in which many archives wrap their content."""
    folders = [p for p in path.iterdir() if p.is_dir()] if path.is_dir() else []
    # Archives made on a Mac have a second one, without any content of theirs.
    folders = [folder for folder in folders if folder.name != "__MACOSX"]
    return folders if len(folders) == 1 else []
