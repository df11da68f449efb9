import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[str]:
    """The name of a new file that takes the place of `path` at the end.

    If the block fails, `path` is left as it was.
    """
    target = Path(path)
    # In the same folder, so that the final rename stays on one file system.
    folder = tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        temporary = os.path.join(folder, target.name)
        yield temporary
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, target.name))
        os.rmdir(folder)
