"""The preset folder: `config.json`, `model.npz` and `metadata.json`.

`README.md` tells people what config and metadata say. With `softmax.npz` and
`vocabulary.txt`, it predicts words too. It may also hold `word_cache.npz` (of the words
that config.json names) and `start_state.npz`.
"""

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from keras_elmo.arguments import check_choice
from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_folder
from keras_elmo.files.strict_json import parse
from keras_elmo.version import __version__
from keras_elmo.weights import mapping, tables
from keras_elmo.weights.containers.npz import read_arrays, write_arrays
from keras_elmo.weights.formats.model_card import model_card
from keras_elmo.weights.settings import check_settings
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "preset"
CONFIG = "config.json"
METADATA = "metadata.json"
MODEL_CARD = "README.md"
WEIGHTS = "model.npz"
_OLD_WEIGHTS = "model.weights.h5"
EXTRA_WEIGHTS = ("softmax", "word_cache", "start_state")
VOCABULARY = "vocabulary.txt"
# The types that weights may be rounded to when they are written.
DTYPES = ("float32", "float16", "bfloat16")


def recognizes(folder: Path) -> bool:
    """Whether a folder is a preset."""
    return (folder / CONFIG).is_file()


def open_folder(folder: Path) -> StoredModel:
    """A preset as a `StoredModel`.

    Raises:
        FileNotFoundError: if one of the files is missing.
        ValueError: if one of them is broken.
    """
    config = _read_json(folder / CONFIG, _check_config)
    _refuse_old(folder)
    metadata, vocabulary = folder / METADATA, folder / VOCABULARY
    parts = {part: _path(folder, part) for part in EXTRA_WEIGHTS}
    return StoredModel(
        format=FORMAT,
        origin=os.fspath(folder / WEIGHTS),
        described_in=os.fspath(folder / CONFIG),
        arguments=config["bilm"],
        table=tables.PRESET,
        arrays=read_arrays(folder / WEIGHTS),
        embedding=config["embedding"],
        mix=config["mix"],
        metadata=_read_json(metadata) if metadata.is_file() else {},
        # Separate files, so that embedding never reads the softmax.
        extra_weights={
            part: functools.partial(read_arrays, path)
            for part, path in parts.items()
            if path.is_file()
        },
        vocabulary=vocabulary if vocabulary.is_file() else None,
    )


def check_target(folder: str | os.PathLike, overwrite: bool) -> None:
    """Refuses what `writing` would."""
    check_folder(folder, CONFIG, "a preset", overwrite)


@contextlib.contextmanager
def writing(folder: str | os.PathLike, overwrite: bool) -> Iterator[str]:
    """The name of a new folder, to take the place of `folder` at the end.

    Raises:
        FileExistsError: if `folder` holds a preset, without `overwrite`.
        ValueError: if it holds something else.
    """
    check_target(folder, overwrite)
    with replacing(folder) as temporary:
        Path(temporary).mkdir()
        yield temporary


def write(
    folder: str | os.PathLike,
    config: Mapping[str, Any],
    variables: Mapping[str, Any],
    dtype: str = "float32",
    parts: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Writes config, weights, metadata and model card into a folder that is there.

    Args:
        folder: The folder.
        config: The parts that `settings` names; `"bilm"` at least.
        variables: Of the `BiLM`, by our names.
        dtype: To which to round them.
        parts: The variables by name of some of `EXTRA_WEIGHTS`. Defaults to None:
            of none.
    """
    config = {**config}
    metadata = {"keras_elmo_version": __version__, **config.pop("metadata", {})}
    texts = {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in ((CONFIG, config), (METADATA, metadata))
    }
    texts[MODEL_CARD] = model_card(config["bilm"], metadata)
    for name, text in texts.items():
        (Path(folder) / name).write_text(text, encoding="utf-8")
    arrays = mapping.collect(tables.PRESET, variables)
    write_weights(Path(folder) / WEIGHTS, arrays, dtype)
    for part, of_part in (parts or {}).items():
        write_weights(_path(Path(folder), part), of_part, dtype)


def write_weights(
    path: str | os.PathLike, variables: Mapping[str, Any], dtype: str = "float32"
) -> None:
    """Writes variables by name, rounded to `dtype`; the whole file or nothing.

    Raises:
        ValueError: if `dtype` is none of `DTYPES`.
    """
    check_choice("dtype", dtype, DTYPES)
    arrays = {name: _rounded(variable, dtype) for name, variable in variables.items()}
    write_arrays(path, arrays)


def _path(folder: Path, part: str) -> Path:
    return folder / f"{part}.npz"


def _refuse_old(folder: Path) -> None:
    if (folder / _OLD_WEIGHTS).is_file() and not (folder / WEIGHTS).is_file():
        raise ValueError(
            f"A preset should hold its weights as {WEIGHTS}. Received: "
            f"{os.fspath(folder)!r} with {_OLD_WEIGHTS}, as development versions wrote "
            "it. Convert it to HDF5 with the version that wrote it (`keras-elmo "
            "convert`), and save that as a preset again with this one"
        )


def _rounded(variable: Any, dtype: str) -> np.ndarray:
    return ops.convert_to_numpy(ops.cast(variable, dtype))


def _check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    if "bilm" not in config:
        raise ValueError("no object 'bilm'")
    return check_settings(config)


def _read_json(
    path: Path, check: Callable[[Any], dict[str, Any]] = lambda content: content
) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"A preset should be a folder with {CONFIG}, {WEIGHTS} and {METADATA}. "
            f"Received: {os.fspath(path.parent)!r}, which has no {path.name}"
        )
    try:
        content = parse(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no object")
        return check(content)
    except ValueError as error:  # of the JSON, or of the encoding
        raise ValueError(
            f"{path.name} should be JSON as `save_to_preset` writes it. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). Correct it, or "
            "fetch the preset again"
        ) from error
