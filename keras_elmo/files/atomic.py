"""Files and folders that are there whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_elmo.files.paths import as_path, is_address, upload


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[str]:
    """The name of a new file or folder, to take the place of `path` at the end.

    If the block fails, `path` is left as it was. At an address, a file is there whole
    or not at all, and of a folder each file is.
    """
    if is_address(path):
        with tempfile.TemporaryDirectory() as folder:
            yield os.path.join(folder, as_path(path).name)
            upload(Path(folder) / as_path(path).name, as_path(path))
        return
    target = Path(path).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # The new one is made in the same folder, so that the final rename stays on one file
    # system.
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
