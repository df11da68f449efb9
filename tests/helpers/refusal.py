"""What a file that should harm somebody may do: be refused, or else be harmless."""

import contextlib
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from processes import without_extras

from keras_elmo import BiLM

# One folder serves all examples of a property, which are the same in every run.
PROPERTY = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
BYTE = st.integers(0, 255)
NOT_FINITE = [float("nan"), float("inf"), -float("inf"), 1e300]


class Trap:
    """An object whose pickle, when it is read, makes a file."""

    def __init__(self, sprung):
        self.sprung = str(sprung)

    def __reduce__(self):
        return open, (self.sprung, "w")


def peak_memory():
    """The most memory that this process ever took, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def takes_little(memory=2**27):
    """Expects no more further memory than this, in bytes, and an end within a minute.

    A refusal takes less than a second. The limit is for what hangs, far from what a
    slow machine may take, and of the processor's time, so that other programs do not
    matter.
    """
    start, before = time.process_time(), peak_memory()
    yield
    assert time.process_time() - start < 60
    assert peak_memory() - before < memory


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


def check_not_finite(source, path, name, value):
    """Expects a model to be refused that holds `value` in its first convolution."""
    with refused(path, f"values: {name} holds NaN or infinity", "`allow_nan=True`"):
        source.build(BiLM)
    with np.errstate(over="ignore"):
        kernel = source.build(BiLM, allow_nan=True).char_cnn.convolutions[0].kernel
        expected = np.float32(value)
    np.testing.assert_array_equal(np.asarray(kernel)[0, 2, 1], expected)


def is_harmless(read):
    """Whether there were tensors to `read()`; no error but of the two kinds."""
    try:
        arrays = read()
    except (ValueError, FileNotFoundError):
        return False
    for array in arrays.values():
        assert isinstance(array, np.ndarray) and array.dtype.kind == "f"
    return True


def mutated(content, changes):
    """These bytes, with some of them replaced, by `(place, byte)`."""
    content = bytearray(content)
    for place, byte in changes:
        content[place % len(content)] = byte
    return bytes(content)


def fuzz_apart(test_file, *paths):
    """What `fuzz(*paths)` of a test file returns, in a process whose crash shows."""
    test_file = Path(test_file)
    script = (
        "import sys; from pathlib import Path; import {} as tests; "
        "print(tests.fuzz(*map(Path, sys.argv[1:])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script.format(test_file.stem), *map(str, paths)],
        env=without_extras(test_file.parent),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout.splitlines()[-1])
