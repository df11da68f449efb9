"""What a file that should harm somebody may do: be refused, or else be harmless."""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_elmo import BiLM


def read_all(source):
    """All tensors of a `StoredModel` that fits; nothing is built."""
    source.check(BiLM)
    return {name: array[...] for name, array in source.arrays.items()}


@contextlib.contextmanager
def refused(*parts):
    """Expects a ValueError with all these parts in its message."""
    with pytest.raises(ValueError) as error:
        yield
    message = str(error.value)
    for part in map(str, parts):
        assert part in message, f"{part!r} is not in: {message[:1000]}"
    assert "Received" in message


def is_harmless(read):
    """Whether there were tensors to `read()`; no error but of the two kinds."""
    try:
        arrays = read()
    except (ValueError, FileNotFoundError):
        return False
    for array in arrays.values():
        assert isinstance(array, np.ndarray) and array.dtype.kind == "f"
    return True


def run_apart(script, *arguments):
    """The last line that a process of its own prints, whose crash would show."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]
