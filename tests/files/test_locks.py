import subprocess
import sys

import pytest

from keras_elmo.files.locks import lock_beside, only_writer

# The package itself would take seconds to import.
_WRITE = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lock_beside(".").lock_file == str(
        tmp_path.with_name(f".{tmp_path.name}.lock")
    )


def test_another_process_is_refused_until_the_first_is_gone(tmp_path):
    run = tmp_path / "new" / "run"
    lock = lock_beside(run)
    command = [sys.executable, "-c", _WRITE, lock.lock_file]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with first:
        assert first.stdout.readline() == b"at work\n"
        with (
            pytest.raises(BlockingIOError, match=r"`output` should be .*run'"),
            only_writer(lock, run, "output"),
        ):
            pass
        first.kill()
        first.wait()
    with only_writer(lock, run, "output"), only_writer(lock, run, "output"):
        assert [path.name for path in run.parent.iterdir()] == [".run.lock"]
    assert not list(run.parent.iterdir())
