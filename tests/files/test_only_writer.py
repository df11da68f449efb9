import subprocess
import sys

import pytest

from keras_elmo.files.only_writer import only_writer

# The package itself would take seconds to import.
_WRITE = """
import sys, filelock
with filelock.FileLock(sys.argv[1] + "/.lock"):
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_is_gone(tmp_path):
    folder = tmp_path / "new" / "run"
    with only_writer(folder):
        pass
    command = [sys.executable, "-c", _WRITE, str(folder)]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with first:
        assert first.stdout.readline() == b"at work\n"
        with (
            pytest.raises(BlockingIOError, match=r"`output` should be .*run'"),
            only_writer(folder, "output"),
        ):
            pass
        first.kill()
    with only_writer(folder):
        pass
