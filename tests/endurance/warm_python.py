"""Python processes for which TensorFlow is imported already.

To import it takes longer than what is to be interrupted. So one process imports it, and
each command is a fork of that one, which has not started any thread yet.
"""

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [f"keras_elmo.cli.{name}" for name in ("convert", "embed", "train")]
)


class WarmPython:
    """A process of `python ARGUMENTS`, with a group of its own.

    Args:
        arguments: `-m MODULE` or `-c CODE`, and the arguments of that.
    """

    def __init__(self, arguments: list[str]):
        self._output = tempfile.NamedTemporaryFile()  # noqa: SIM115, it lives as long
        output = self._output.name
        self._process = _CONTEXT.Process(target=_run, args=(arguments, output))
        self._process.start()

    @property
    def printed(self) -> str:
        """What it has printed so far, errors included."""
        return Path(self._output.name).read_text(errors="replace")

    def wait(self, seconds: float | None = None) -> int | None:
        """Its status, negative if a signal ended it; None if it is not at its end."""
        self._process.join(seconds)
        return self._process.exitcode

    def wait_for_output(self) -> None:
        """Returns once it has printed something, or has ended."""
        while not self.printed and self.wait(0.001) is None:
            pass

    def kill(self) -> None:
        """Ends it, and all that it has started, at once."""
        with contextlib.suppress(ProcessLookupError):  # it has no group yet, or no more
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self.wait()


def _run(arguments: list[str], output: str) -> None:
    os.setsid()
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, sys.stdout.fileno())
    os.dup2(file, sys.stderr.fileno())
    sys.stdout.reconfigure(line_buffering=True)
    option, code, *rest = arguments
    sys.argv = [option, *rest]
    if option == "-m":
        runpy.run_module(code, run_name="__main__", alter_sys=True)
    else:
        exec(code, {"__name__": "__main__"})
