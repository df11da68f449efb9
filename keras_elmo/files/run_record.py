"""What a run began with, so that it goes on with the same."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_elmo.files.strict_json import read_object, write_object


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
        before = read_object(self._path)
        changed = [
            f"{name} {before.get(name)!r}, now {self._values.get(name)!r}"
            for name in sorted(before.keys() | self._values.keys())
            if before.get(name) != self._values.get(name)
        ]
        if changed:
            raise ValueError(
                f"The run of {os.fspath(self._path)!r} should go on with what it began "
                f"with. Received: {'; '.join(changed)}. For other values, choose a new "
                "folder"
            )
        return True

    def write(self) -> None:
        """Writes the record, whole or not at all."""
        write_object(self._path, self._values)
