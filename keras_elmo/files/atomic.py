"""Files and folders that are there whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[str]:
    """The name of a new file or folder, to take the place of `path` at the end.

    If the block fails, `path` is left as it was.
    """
    target = Path(path).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the final rename stays on one file system.
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    new, old = scratch / "new", scratch / "old"
    new.mkdir()
    try:
        yield os.fspath(new / target.name)
        if target.is_dir() and not (new / target.name).is_dir():
            raise IsADirectoryError(
                f"{os.fspath(target)!r} should be the path of a file to write. "
                "Received: a folder. Name a file in it, or another path"
            )
        if not target.is_dir():
            os.replace(new / target.name, target)
            return
        os.replace(target, old)  # a folder can't be renamed onto another
        try:
            os.replace(new / target.name, target)
        except OSError:
            os.replace(old, target)
            raise
    finally:
        shutil.rmtree(scratch)


def check_replaceable(folder: str | os.PathLike, marker: str, kind: str) -> None:
    """Refuses to replace a folder that nobody meant.

    Args:
        folder: What is to be written.
        marker: Name of a file that every folder of this kind holds.
        kind: What to call such a folder in the error.

    Raises:
        ValueError: if `folder` is there, is not empty, and holds no `marker`.
    """
    target = Path(folder)
    is_empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not is_empty and not (target / marker).is_file():
        raise ValueError(
            f"`folder` should be new, empty, or {kind} to replace. Received: "
            f"folder={os.fspath(folder)!r}, which holds something else. "
            "Choose another folder"
        )
