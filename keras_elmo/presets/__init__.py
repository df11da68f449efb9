"""Pretrained models by name: the package's own, each a folder here, and others'."""

import os
from pathlib import Path

from keras_elmo.presets.locate import home, names
from keras_elmo.presets.locate import locate as _locate
from keras_elmo.presets.published import (
    PublishedModel,
    find_published,
    published_models,
)

__all__ = [
    "PublishedModel",
    "find_preset",
    "find_published",
    "home",
    "names",
    "published_models",
]


def find_preset(name: str | os.PathLike) -> Path:
    """The file or folder of a preset, downloaded if it has to be; see `locate`.

    Raises:
        FileNotFoundError: if there is none of this name.
    """
    return _locate(name)
