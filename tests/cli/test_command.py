"""The command and the examples as processes of their own."""

import os
import subprocess
import sys

import pytest
from processes import without_extras

import keras_elmo.startup

COMMAND = [sys.executable, "-m", "keras_elmo"]
EXAMPLE = [sys.executable, "-m", "keras_elmo.examples.word_in_context"]


def run(*command, **kwargs):
    environment = without_extras()
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        command, stderr=subprocess.PIPE, text=True, env=environment, **kwargs
    )


def test_closed_pipe_is_silent():
    reader, writer = os.pipe()
    os.close(reader)
    result = run(*COMMAND, "info", stdout=writer)
    os.close(writer)
    assert result.stderr == ""
    assert result.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", [[*COMMAND, "info", "tiny_en"], EXAMPLE])
def test_nothing_of_tensorflow_is_printed(command):
    result = run(*command, stdout=subprocess.PIPE)
    assert result.returncode == 0 and result.stdout
    assert result.stderr == ""


def test_what_is_no_chatter_is_printed():
    # The package itself would import TensorFlow, with its own lines.
    program = f"""
import os, runpy
quiet_import = runpy.run_path({keras_elmo.startup.__file__!r})["quiet_import"]
with quiet_import():
    os.write(2, b"I0000 00:00:1 1 port.cc:1] information\\n")
    os.write(2, b"a real warning\\n")
try:
    with quiet_import():
        os.write(2, b"I0000 00:00:1 1 port.cc:1] before it failed\\n")
        raise ImportError
except ImportError:
    pass
"""
    result = run(sys.executable, "-c", program)
    assert "port.cc:1] information" not in result.stderr
    assert "a real warning" in result.stderr
    assert "before it failed" in result.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["train", "--help"]])
def test_help_needs_no_tensorflow(arguments):
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *arguments]
    result = run(*command, stdout=subprocess.PIPE)
    assert result.returncode == 0 and result.stdout
    assert "keras_elmo.cli.parser" in result.stderr
    assert "tensorflow" not in result.stderr
