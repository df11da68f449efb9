"""Archives: unpacked for as long as their content is read."""

import contextlib
import dataclasses
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_elmo.files import archive
from keras_elmo.files.cache import cache_dir
from keras_elmo.files.locks import lock_beside
from keras_elmo.weights.stored_model import StoredModel


def open_archive(
    path: Path, open_unpacked: Callable[[Path], StoredModel]
) -> StoredModel:
    """Pretrained weights in an archive.

    A downloaded archive is unpacked beside itself once, and kept. Any other is unpacked
    to a temporary folder that is deleted with the returned model.

    Args:
        path: The archive.
        open_unpacked: Opens the folder with its content.

    Raises:
        FileNotFoundError, ValueError: those of `open_unpacked`, which name the archive
            in place of the temporary folder; or if the archive is broken.
    """
    if cache_dir() in path.parents:
        return open_unpacked(_unpacked_beside(path))
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="keras_elmo-")
        )
        folder = Path(temporary) / "unpacked"
        archive.unpack(path, folder)
        with _renaming_in_errors(folder, path):
            opened = open_unpacked(folder)
        opened = dataclasses.replace(
            opened,
            origin=os.fspath(path),
            described_in=_renamed(opened.described_in, folder, path),
        )
        # The tensors have not been read yet, so the folder must outlive this function.
        weakref.finalize(opened, stack.pop_all().close)
    return opened


def _unpacked_beside(path: Path) -> Path:
    folder = path.with_name(f"{path.name}.unpacked")
    with lock_beside(folder):
        if not folder.is_dir():
            archive.unpack(path, folder)
    return folder


@contextlib.contextmanager
def _renaming_in_errors(folder: Path, path: Path) -> Iterator[None]:
    """Lets errors name the archive, which the user knows, and not `folder`."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(_renamed(str(error), folder, path)) from error
    except ValueError as error:
        raise ValueError(_renamed(str(error), folder, path)) from error


def _renamed(text: str, folder: Path, path: Path) -> str:
    return text.replace(os.fspath(folder), os.fspath(path))
