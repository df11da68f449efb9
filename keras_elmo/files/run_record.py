"""What a run began with, so that it goes on with the same."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_elmo.files.strict_json import read_object, write_object

# A run may be of thousands of files, of which an error tells some.
_MOST_TOLD = 10


class RunRecord:
    """What a run began with, which is what it should go on with.

    Create one with what the run has now, ask `is_resumed()`, and `write()` the record
    of a new run once nothing can be wrong with it any more.

    Args:
        path: The JSON file of the record.
        values: What should stay the same, by a name that users know: anything that
            JSON can hold, and paths, which are recorded as text.

    Raises:
        TypeError: if JSON can't hold a value.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> record = RunRecord(folder / "run.json", {"seed": 1, "text": Path("a.txt")})
    >>> record.is_resumed()
    False
    >>> record.write()
    >>> record.is_resumed()
    True
    """

    def __init__(self, path: str | os.PathLike, values: Mapping[str, Any]):
        self._path = Path(path)
        # Values are compared as JSON gives them back: a tuple becomes a list there.
        self._values = json.loads(json.dumps(dict(values), default=os.fspath))

    def is_resumed(self) -> bool:
        """Whether there is a run to go on with.

        Raises:
            ValueError: if that run began with other values, or its record is damaged.
        """
        if not self._path.is_file():
            return False
        check_unchanged(self._path, read_object(self._path), self._values)
        return True

    def write(self) -> None:
        """Writes the record, whole or not at all."""
        write_object(self._path, self._values)


def check_unchanged(
    path: Any, before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Refuses to go on with other values than a run began with.

    Args:
        path: Where the run is recorded, for the error.
        before: The values that it began with, by name.
        now: Those to go on with.

    Raises:
        ValueError: if they differ; it tells which do.
    """
    changed = [
        f"{name} {before.get(name)!r}, now {now.get(name)!r}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if len(changed) > _MOST_TOLD:
        rest = len(changed) - _MOST_TOLD
        changed = [*changed[:_MOST_TOLD], f"{rest} more"]
    if changed:
        raise ValueError(
            f"The run of '{path}' should go on with what it began with. "
            f"Received: {'; '.join(changed)}. For other values, choose a new folder"
        )
