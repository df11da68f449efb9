"""The files that names and patterns stand for."""

import glob
import os
from collections.abc import Sequence
from typing import Any

from keras_elmo.files.paths import as_path, is_address, reaching


def find_files(
    names: str | os.PathLike | Sequence[str | os.PathLike], argument: str
) -> list[Any]:
    """The paths of files, in the order of the names, and within a pattern by name.

    Args:
        names: One or more paths, addresses (see `as_path`), or glob patterns of either.
            What is there by its name is that, whatever `*` or `[` it holds.
        argument: What the user calls them, for errors.

    Raises:
        FileNotFoundError: if one of them is not there, or matches no file.
        IsADirectoryError: if one is a folder.
    """
    if isinstance(names, str | os.PathLike):
        names = [names]
    return [path for name in names for path in _find(os.fspath(name), argument)]


def _find(name: str, argument: str) -> list[Any]:
    path = as_path(name)
    with reaching(name):
        if path.is_dir():
            raise IsADirectoryError(
                f"`{argument}` should be text files. Received: '{name}', which is a "
                f"folder. Give '{name}/*'"
            )
        if path.exists():
            return [path]
        found = _matches(name)
    if not found:
        raise FileNotFoundError(
            f"`{argument}` should be files, or patterns that match files. Received: "
            f"{name!r}, which is none and matches none"
        )
    return found


def _matches(pattern: str) -> list[Any]:
    """The files that a pattern matches; it may match folders, which nobody means."""
    if is_address(pattern):
        file_system, path = as_path(pattern).fs, as_path(pattern).path
        found = [file_system.unstrip_protocol(name) for name in file_system.glob(path)]
    else:
        found = glob.glob(pattern, recursive=True)
    return [path for path in map(as_path, sorted(found)) if not path.is_dir()]
