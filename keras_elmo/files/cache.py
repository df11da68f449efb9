"""The folder of what was downloaded."""

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """The folder of downloads: `KERAS_ELMO_HOME`, or one in the user's cache.

    Example:

    >>> cache_dir().is_absolute()
    True
    """
    default = platformdirs.user_cache_dir("keras_elmo")
    return Path(os.environ.get("KERAS_ELMO_HOME") or default).expanduser()
