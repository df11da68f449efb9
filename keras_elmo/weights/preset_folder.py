"""The preset folder: `config.json`, `model.weights.h5` and `metadata.json`."""

import contextlib
import inspect
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras import ops

from keras_elmo.atomic import check_replaceable, replacing
from keras_elmo.validation import check_choice
from keras_elmo.version import __version__
from keras_elmo.weights import hdf5, mapping

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
_MIX = {"weights", "scaling"}
# In which weights may be written.
DTYPES = ("float32", "float16", "bfloat16")


def read_config(folder: str | os.PathLike) -> dict[str, Any]:
    """The content of `config.json`: `"bilm"`, `"embedding"`, and `"mix"` or None.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON, or not an object.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise FileNotFoundError(
            f"A preset should be a folder with {CONFIG}, {WEIGHTS} and {METADATA}. "
            f"Received: {os.fspath(folder)!r}, which has no {CONFIG}"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        config = _check_config(config)
    except ValueError as error:  # of the JSON, or of the encoding
        raise ValueError(
            f"{CONFIG} should be JSON as `save_to_preset` writes it. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error})"
        ) from error
    return config


def _check_config(config: Any) -> dict[str, Any]:
    """With the parts that it may lack."""
    if not isinstance(config, dict) or not isinstance(config.get("bilm"), dict):
        raise ValueError("no object 'bilm'")
    config = {"embedding": {}, "mix": None, **config}
    if not isinstance(config["embedding"], dict):
        raise ValueError("'embedding' is no object")
    mix = config["mix"]
    if mix is not None and not (isinstance(mix, dict) and set(mix) == _MIX):
        raise ValueError(f"'mix' does not hold just {sorted(_MIX)}")
    return config


def check_arguments(kind: type, arguments: Mapping[str, Any], folder: Any) -> None:
    """Refuses a part of `config.json` that lacks arguments which `kind` needs."""
    try:
        inspect.signature(kind).bind(**arguments)
    except TypeError as error:
        raise ValueError(
            f"{CONFIG} should hold the arguments of {kind.__name__}. Received: "
            f"{os.fspath(folder)!r}, where it does not ({error})"
        ) from error


@contextlib.contextmanager
def writing(folder: str | os.PathLike) -> Iterator[str]:
    """The name of a new folder, to take the place of `folder` at the end.

    Raises:
        ValueError: if `folder` holds something else than a preset.
    """
    check_replaceable(folder, CONFIG, "a preset")
    with replacing(folder) as temporary:
        Path(temporary).mkdir()
        yield temporary


def write(
    folder: str | os.PathLike,
    config: Mapping[str, Any],
    variables: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
    dtype: str = "float32",
) -> None:
    """Writes config, weights and metadata into a folder that is there."""
    metadata = {"keras_elmo_version": __version__, **(metadata or {})}
    for name, content in ((CONFIG, config), (METADATA, metadata)):
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (Path(folder) / name).write_text(text, encoding="utf-8")
    write_weights(Path(folder) / WEIGHTS, variables, dtype)


def read_weights(path: str | os.PathLike, variables: Mapping[str, Any]) -> None:
    """Assigns every tensor of a file to the variable of its name, or nothing.

    Raises:
        FileNotFoundError, ValueError: see `hdf5.read_arrays`, `mapping.apply`.
    """
    table = [mapping.Entry(name, (name,)) for name in variables]
    mapping.apply(table, hdf5.read_arrays(path), variables, os.fspath(path))


def write_weights(
    path: str | os.PathLike, variables: Mapping[str, Any], dtype: str = "float32"
) -> None:
    """Writes variables by name, rounded to `dtype`; the whole file or nothing.

    HDF5 has no bfloat16: it is written as float32, of which half the bytes are zeros
    that compression makes nothing of.

    Raises:
        ValueError: if `dtype` is none of `DTYPES`.
    """
    check_choice("dtype", dtype, DTYPES)
    arrays = {
        name: mapping.as_float(ops.cast(variable, dtype))
        for name, variable in variables.items()
    }
    hdf5.write_arrays(path, arrays, compression="gzip", shuffle=True)
