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
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the final rename stays on one file system.
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        new = scratch / target.name
        yield os.fspath(new)
        if target.is_dir():  # a folder can't be renamed onto another
            os.replace(target, scratch / "old")
        os.replace(new, target)
    finally:
        shutil.rmtree(scratch)
