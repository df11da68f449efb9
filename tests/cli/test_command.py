import os
import subprocess
import sys

COMMAND = [sys.executable, "-m", "keras_elmo"]
# TensorFlow's own information lines are no matter of these tests.
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


def test_closed_pipe_is_silent():
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [*COMMAND, "info"], stdout=writer, stderr=subprocess.PIPE, text=True, env=QUIET
    )
    os.close(writer)
    assert "pipe" not in result.stderr and "Traceback" not in result.stderr
    assert result.returncode == 1
