"""Reads mutated files, in a process that may crash without harm to the driver."""

import random
import resource
import shutil
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

# What users are told to expect of a file that is not as it should be.
DOCUMENTED = (ValueError, OSError)
# Beyond what the process has when it starts.
MEMORY = 2**31


def serve(connection: Connection, originals: Path, seed: int) -> None:
    """Answers numbers of cases by how they ended, until None comes."""
    from mutations import mutate
    from subjects import SUBJECTS

    limit_memory()
    connection.send("ready")
    while (number := connection.recv()) is not None:
        name = subject_of(number)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            shutil.copytree(originals / name, folder)
            mutate(folder, random.Random(f"{seed} {number}"))
            connection.send(outcome(lambda: SUBJECTS[name].read(folder)))  # noqa: B023


def subject_of(number: int) -> str:
    from subjects import SUBJECTS

    return list(SUBJECTS)[number % len(SUBJECTS)]


def outcome(read) -> str:
    """How a read ended: loaded, refused, or what should not be."""
    start = time.process_time()
    try:
        read()
    except DOCUMENTED:
        ended = "refused"
    except MemoryError:
        ended = "memory"
    except Exception as error:
        ended = f"{type(error).__name__}: {str(error)[:200]}"
    else:
        ended = "loaded"
    return "slow" if time.process_time() - start > 10 else ended


def limit_memory() -> None:
    """Has an allocation of gigabytes fail, which no file here explains."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
