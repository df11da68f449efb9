"""Tokens a second of one and of several workers of this machine.

    python tests/endurance/throughput.py corpus.txt --repeat 3
    python tests/endurance/throughput.py corpus.txt --only embed

Trains `tiny_en` on the text, and embeds it: in one process on one core and on two, by
two workers that train together over the loopback, and by Ray's workers. All of them
take turns, and medians are told. What is timed is the time between the first and the
last checkpoint of a training, and the whole command of an embedding.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lost_worker import cluster
from scenarios import elmo

_BATCH, _UNROLL = 64, 20
_FIRST, _LAST = 20, 60  # steps that have a checkpoint


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, help="some 10,000 sentences, one a line")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=["train", "embed"], help="and not the other")
    args = parser.parse_args()
    text = args.text.absolute()
    tokens = sum(len(line.split()) for line in text.read_text("utf-8").splitlines())
    ray = "--engine", "ray", "--cpus-per-worker"
    measured: dict[str, Callable[[], float]] = {
        "train, one process, one core": lambda: train(text, 1, cores=1),
        "train, one process, two cores": lambda: train(text, 1, cores=2),
        "train, two workers, a core each": lambda: train(text, 2, cores=1),
        "embed, one process, one core": lambda: tokens / embed(text, 1),
        "embed, one process, two cores": lambda: tokens / embed(text, 2),
        "embed, Ray, one worker, one core": lambda: (
            tokens / embed(text, 2, *ray, "1", "--workers", "1")
        ),
        "embed, Ray, two workers, a core each": lambda: (
            tokens / embed(text, 2, *ray, "1", "--workers", "2")
        ),
    }
    names = [name for name in measured if name.startswith(args.only or "")]
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(args.repeat):
        for name in names:
            rates[name].append(measured[name]())
            print(f"{name}: {rates[name][-1]:,.0f} tokens/s", flush=True)
    print(f"medians of {args.repeat}, of {tokens:,} tokens to embed:")
    for name, values in rates.items():
        print(f"  {name}: {statistics.median(values):,.0f} tokens/s")
    return 0


def train(text: Path, workers: int, cores: int) -> float:
    """Tokens a second of so many workers together, each on so many cores."""
    with tempfile.TemporaryDirectory() as folder:
        command = elmo(
            *("train", "--from", "tiny_en", "--text", str(text), "--output", folder),
            *("--tokens", str(workers * _LAST * _BATCH * _UNROLL)),
            *("--batch-size", str(_BATCH), "--unroll-steps", str(_UNROLL)),
            *("--interval", str(_FIRST)),
            *(("--distribute", "multi-worker") if workers > 1 else ()),
        )
        configurations = cluster(workers) if workers > 1 else [{}]
        processes = [
            subprocess.Popen(
                [sys.executable, *command],
                stdout=subprocess.DEVNULL,
                env={**os.environ, "TF_CONFIG": json.dumps(configuration)},
                preexec_fn=only_cores(range(cores * index, cores * (index + 1))),
            )
            for index, configuration in enumerate(configurations)
        ]
        checkpoints = Path(folder) / "checkpoints" / "bilm" / "worker-0"
        moments = [
            wait_for(checkpoints / f"step-{step:08}.npz", processes)
            for step in (_FIRST, _LAST)
        ]
        for process in processes:
            if process.wait():
                sys.exit("training fails")
    tokens = workers * (_LAST - _FIRST) * _BATCH * _UNROLL
    return tokens / (moments[1] - moments[0])


def wait_for(path: Path, processes: list[subprocess.Popen]) -> float:
    """When the file appears."""
    while not path.exists():
        if any(process.poll() for process in processes):
            sys.exit("training fails")
        time.sleep(0.01)
    return time.monotonic()


def embed(text: Path, cores: int, *options: str) -> float:
    """Seconds of the whole command on so many cores."""
    with tempfile.TemporaryDirectory() as folder:
        command = elmo("embed", str(text), f"{folder}/vectors", "--layers", "top")
        begin = time.monotonic()
        subprocess.run(
            [sys.executable, *command, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            preexec_fn=only_cores(range(cores)),
        )
        return time.monotonic() - begin


def only_cores(cores: range) -> Callable[[], None]:
    """What lets a process that is about to start use these cores alone."""
    return lambda: os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    sys.exit(main())
