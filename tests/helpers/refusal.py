"""What a file that should harm somebody may do: be refused, or else be harmless."""

import contextlib
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from keras_elmo import BiLM

# One folder serves all examples of a property, which are the same in every run.
PROPERTY = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def peak_memory():
    """The most memory that this process ever took, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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


def run_apart(script, *arguments, folder):
    """The last line that a process of its own prints, whose crash would show.

    It imports modules from `folder` too.
    """
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]
