"""From AllenNLP's two arguments, `options_file` and `weight_file`, to weights."""

import functools
import os
import warnings
from pathlib import Path
from typing import Any

from keras_elmo.presets import find_published, locate
from keras_elmo.weights.formats import allennlp
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel

# AllenNLP's own default is a download of 374 MB; this comes with the package.
DEFAULT = "tiny_en"
_EXPECTED = (
    "`options_file` and `weight_file` should be the paths or addresses of AllenNLP's "
    "two files; or one of them alone, whatever `ElmoEmbedding.from_preset` takes, such "
    'as "allennlp/original"'
)


def open_files(options_file: Any = None, weight_file: Any = None) -> StoredModel:
    """The weights that AllenNLP's two arguments name.

    Args:
        options_file: Path or address of `options.json`; or what `open_weights` takes.
        weight_file: Path or address of `weights.hdf5`; likewise. Without both it is
            `tiny_en`, and a warning says so, once.

    Raises:
        FileNotFoundError: if there is no such thing.
        ValueError: if it is broken, or neither a string nor a path.

    Example:

    >>> open_files("tiny_en").format
    'preset'
    """
    for value in (options_file, weight_file):
        if not isinstance(value, str | os.PathLike | None):
            raise ValueError(
                f"{_EXPECTED}. Received: {value!r} of type {type(value).__name__}"
            )
    names = [name for name in (options_file, weight_file) if name is not None]
    if not names:
        _say_default()
        return open_weights(DEFAULT)
    if len(names) == 1 or options_file == weight_file:
        return open_weights(names[0])
    return allennlp.open_pair(
        _file(options_file, "options.json"), _file(weight_file, "weights.hdf5")
    )


def _file(source: str | os.PathLike, name: str) -> Path:
    """A file by its path, its address, or the name of the model that it is one of."""
    if os.path.isfile(source):
        return Path(source)
    model = find_published(source) if isinstance(source, str) else None
    path = locate(source)
    # What has been published in two files is a folder with these two names.
    return path / name if model is not None and path.is_dir() else path


@functools.cache
def _say_default() -> None:
    warnings.warn(
        f"No `options_file` and no `weight_file` were given: {DEFAULT!r}, a small "
        "English model that comes with the package, takes the place of AllenNLP's "
        'default, which is "allennlp/original"',
        stacklevel=4,
    )
