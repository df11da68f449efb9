"""How the commands and examples start: quickly, and without TensorFlow's chatter."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# TensorFlow prints these whatever its log level is: information, and complaints about
# libraries of NVIDIA that it registers twice.
_CHATTER = re.compile(
    r"I\d{4} .*|WARNING: All log messages before absl::InitializeLog.*"
    r"|.*Unable to register cu\w+ factory.*"
)


def runs_command() -> bool:
    """Whether this process is `keras-elmo` or `python -m keras_elmo`.

    They import what they need once their arguments are read, so that `--help` does not
    wait for TensorFlow. Anyone else's `import keras_elmo` imports all layers at once,
    because Keras has to know their classes before it loads a model.
    """
    if _module() == "keras_elmo":
        return True
    return bool(sys.argv) and Path(sys.argv[0]).name in ("keras-elmo", "keras-elmo.exe")


def runs_example() -> bool:
    """Whether this process is `python -m keras_elmo.examples.NAME`."""
    return _module().startswith("keras_elmo.examples.")


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Leaves TensorFlow's information lines out of what an import prints.

    All else is printed when the import ends, and everything if it fails. Later lines of
    TensorFlow's C++ are left out too, unless `TF_CPP_MIN_LOG_LEVEL` is set: an error
    that matters is an exception in Python, or ends the process with a line of its own.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.stderr is None:  # Python was started with standard error closed
        yield
        return
    with tempfile.TemporaryFile() as printed:
        try:
            with _standard_error_to(printed):
                yield
        except BaseException:
            sys.stderr.write(_text(printed))
            raise
        sys.stderr.writelines(
            line
            for line in _text(printed).splitlines(keepends=True)
            if not _CHATTER.fullmatch(line.rstrip())
        )


@contextlib.contextmanager
def _standard_error_to(file: IO[bytes]) -> Iterator[None]:
    """Sends standard error to a file, also what C++ prints, which knows no Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def _module() -> str:
    """The module that `python -m` runs, while its package is imported."""
    if not sys.argv or sys.argv[0] != "-m":
        return ""
    options = sys.orig_argv
    return options[options.index("-m") + 1] if "-m" in options else ""
