"""Paths on this machine and on others, by one interface."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_elmo.files.optional import import_optional

# fsspec keeps the listings of folders for these, and other processes, which write there
# too, soon make them wrong.
_WITH_LISTINGS = {"abfs", "abfss", "az", "gcs", "gs", "s3", "s3a"}


def as_path(path: Any) -> Any:
    """A path, or what works like one for an address such as `s3://bucket/folder`.

    Args:
        path: A path, or an address of a file system that fsspec knows. Keys and the
            like come from its own configuration and from the environment.

    Returns:
        A `pathlib.Path`, or the `upath.UPath` of an address.

    Raises:
        ModuleNotFoundError: for an address, if universal_pathlib is not installed.

    Example:

    >>> as_path("text.txt")
    PosixPath('text.txt')
    """
    if not is_address(path):
        return Path(path)
    upath = import_optional("upath", "remote", "Addresses")
    address = upath.UPath(path)
    if address.protocol in _WITH_LISTINGS:
        address = upath.UPath(path, use_listings_cache=False)
    return address


def is_address(path: Any) -> bool:
    """Whether it is on another file system, by its name.

    Example:

    >>> is_address("s3://bucket/folder"), is_address("folder")
    (True, False)
    """
    return "://" in str(path)


@contextlib.contextmanager
def reaching(path: Any) -> Iterator[None]:
    """Turns errors of a library that serves an address into those of files.

    Raises:
        OSError: for another error than those of files and arguments.
    """
    try:
        yield
    except (OSError, ValueError, ImportError):
        raise
    except Exception as error:
        if not is_address(path):
            raise
        raise OSError(
            f"'{path}' should be an address that can be reached. Received: {error!r}. "
            "Are its keys, and the address of the service, in the environment?"
        ) from error


def remove_tree(folder: Any) -> None:
    """Deletes a folder and all that is in it, if it is there."""
    if not is_address(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        folder.fs.rm(folder.path, recursive=True)


def upload(source: Path, target: Any) -> None:
    """Copies a file, or the files of a folder, to an address."""
    if source.is_file():
        target.fs.makedirs(target.parent.path, exist_ok=True)
        target.fs.put_file(os.fspath(source), target.path)
    else:
        for file in source.iterdir():
            upload(file, target / file.name)


def fetch_copy(source: Any, folder: Path) -> Path:
    """Copies a file, or the files of a folder, from an address into a folder."""
    target = folder / source.name
    if source.is_file():
        source.fs.get_file(source.path, os.fspath(target))
    else:
        target.mkdir()
        for file in source.iterdir():
            fetch_copy(file, target)
    return target
