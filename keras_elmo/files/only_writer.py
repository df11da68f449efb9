"""Folders that one process at a time writes to."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock


@contextlib.contextmanager
def only_writer(folder: str | os.PathLike, argument: str = "folder") -> Iterator[None]:
    """Keeps other processes that ask for it away from a folder, for the block.

    The operating system ends it with the process, so that a killed one is in nobody's
    way.

    Args:
        folder: The folder, created where it is missing.
        argument: What the user calls it, for the error. Defaults to `"folder"`.

    Raises:
        BlockingIOError: if another process writes there.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(folder / ".lock").acquire(blocking=False)
    except filelock.Timeout as error:
        raise BlockingIOError(
            f"`{argument}` should be a folder that no other process writes to. "
            f"Received: '{folder}', where one is at work. Wait for its end, or choose "
            "another folder"
        ) from error
    with lock:
        yield
