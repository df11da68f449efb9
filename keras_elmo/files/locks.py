"""Locks between processes, which end with the process that has them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock


def lock_beside(path: str | os.PathLike) -> filelock.BaseFileLock:
    """The lock of a file or folder, `.NAME.lock` beside it, to hold while writing."""
    path = Path(path).absolute()  # "." has a name then
    return filelock.FileLock(path.with_name(f".{path.name}.lock"))


@contextlib.contextmanager
def only_writer(
    lock: filelock.BaseFileLock, path: object, argument: str
) -> Iterator[None]:
    """Holds a lock for the block, and refuses to wait for another process.

    Args:
        lock: The lock; its file is deleted at the end.
        path: What is written meanwhile, for the error.
        argument: What the user calls it, for the error.

    Raises:
        BlockingIOError: if another process has the lock.
    """
    try:
        held = lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise BlockingIOError(
            f"`{argument}` should be a path that no other process writes to. Received: "
            f"'{path}', where one is at work. Wait for its end, or choose another"
        ) from error
    with held:
        try:
            yield
        finally:
            Path(lock.lock_file).unlink(missing_ok=True)
