"""Mutates files of weights and of vectors, and records how reading each one ends.

    python tests/fuzzing/fuzz.py --count 100000 --output fuzzed

A case is a function of its number and the seed. It may load or be refused, by a
ValueError or OSError; all else is a finding: another error, a crash, more than ten
seconds, gigabytes of memory. The files of findings are kept in `--output`, and so is
how far it came: the same command goes on. It fails if there are findings.
"""

import argparse
import collections
import json
import multiprocessing
import random
import shutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "helpers"))

from mutations import mutate  # noqa: E402
from subjects import SUBJECTS  # noqa: E402
from worker import serve, subject_of  # noqa: E402

from keras_elmo.files.run_record import RunRecord  # noqa: E402
from keras_elmo.files.strict_json import read_object, write_object  # noqa: E402

_SECONDS = 30  # of the clock; the worker tells ten of the processor
_BLOCK = 200
_EXPECTED = {"loaded", "refused"}


class Worker:
    """A process that reads one case after the other, and a new one after a crash."""

    def __init__(self, originals: Path, seed: int):
        self._arguments = originals, seed
        self._process = None

    def outcome(self, number: int) -> str:
        """How a case ended; a crash is one if it comes in a new process too."""
        ended = self._ask(number)
        if ended == "crash":
            ended = self._ask(number)
        return ended

    def _ask(self, number: int) -> str:
        if self._process is None:
            self._start()
        try:
            self._connection.send(number)
            ended = "hang"
            if self._connection.poll(_SECONDS):
                ended = self._connection.recv()
        except (EOFError, OSError):
            ended = "crash"
        if ended in ("crash", "hang", "memory"):
            self.stop()
        return ended

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, *self._arguments)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        if self._connection.recv() != "ready":
            raise RuntimeError("the process that reads did not start")


def main(arguments: list[str] | None = None) -> int:
    """Runs the cases that are left; returns how many findings there are in all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    run = {"seed": args.seed, "subjects": list(SUBJECTS)}
    record = RunRecord(args.output / "run.json", run)
    if not record.is_resumed():
        record.write()
    originals = _originals(args.output)
    state_path = args.output / "state.json"
    state = {"next": 0, "outcomes": {}}
    if state_path.is_file():
        state = read_object(state_path)
    worker = Worker(originals, args.seed)
    counts = collections.Counter(state["outcomes"])
    for start in range(state["next"], args.count, _BLOCK):
        stop = min(start + _BLOCK, args.count)
        for number in range(start, stop):
            ended = worker.outcome(number)
            counts[f"{subject_of(number)} {ended}"] += 1
            if ended not in _EXPECTED:
                _keep(args.output / "findings", originals, args.seed, number, ended)
        write_object(state_path, {"next": stop, "outcomes": dict(counts)})
        print(f"{stop:,} of {args.count:,}", end="\r", flush=True)
    worker.stop()
    for name, count in sorted(counts.items()):
        print(f"{count:>8,}  {name}")
    findings = args.output / "findings"
    return len(list(findings.iterdir())) if findings.is_dir() else 0


def _originals(output: Path) -> Path:
    """A folder for each kind, made once: random weights would be others."""
    folder, partial = output / "originals", output / "originals.partial"
    if not folder.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
        for name, subject in SUBJECTS.items():
            (partial / name).mkdir(parents=True)
            subject.make(partial / name)
            subject.read(partial / name)
        partial.rename(folder)
    return folder


def _keep(findings: Path, originals: Path, seed: int, number: int, ended: str) -> None:
    """Keeps the files of a finding, made anew."""
    name = subject_of(number)
    folder = findings / f"{number}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(originals / name, folder)
    changed = mutate(folder, random.Random(f"{seed} {number}"))
    note = json.dumps({"changed": changed, "ended": ended}, indent=2)
    (folder / "finding.json").write_text(note, "utf-8")


if __name__ == "__main__":
    sys.exit(f"{found} findings" if (found := main()) else 0)
