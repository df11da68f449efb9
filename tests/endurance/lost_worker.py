"""Kills one of two workers that train together, and starts both again.

    python tests/endurance/lost_worker.py --times 10

Two processes of `keras-elmo train --distribute multi-worker` train on this machine.
Once they have saved a checkpoint, one of them is killed (SIGKILL), at a moment from the
seed. The other has to end by itself, in a line that tells of it; the same commands,
given again, have to come to the preset that two undisturbed workers come to.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scenarios import elmo, preset_arrays, write_text

from golden import FIXTURES  # isort: skip, scenarios.py adds its folder

_SECONDS = 120  # the most until the other worker ends
_STEPS = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_text(folder)
        seconds = undisturbed(folder)
        output = folder / "run"  # the command, with its name, is in the preset
        expected = preset_arrays(output / "preset")
        for number in range(args.times):
            chance = random.Random(f"{args.seed} {number}")
            shutil.rmtree(output)
            lost, moment = chance.randrange(2), chance.uniform(0, seconds)
            print(f"{number}: worker {lost} after {moment:.1f} s:", end=" ", flush=True)
            found = problem(folder, output, lost, moment, expected)
            print(found or "the same")
            failed += found is not None
    return int(failed > 0)


def undisturbed(folder: Path) -> float:
    """Seconds from the first checkpoint to the last, of two workers left alone."""
    workers = start(folder, folder / "run")
    wait_for_checkpoint(folder / "run", workers)
    begin = time.monotonic()
    while not checkpoint(folder / "run", _STEPS).exists():
        time.sleep(0.01)
    seconds = time.monotonic() - begin
    for worker in workers:
        _, errors = worker.communicate()
        if worker.returncode:
            sys.exit(f"two workers fail by themselves: {errors}")
    return seconds


def problem(
    folder: Path, output: Path, lost: int, moment: float, expected: dict[str, bytes]
) -> str | None:
    """What is wrong after a worker is killed so long after the first checkpoint."""
    workers = start(folder, output)
    wait_for_checkpoint(output, workers)
    time.sleep(moment)
    workers[lost].send_signal(signal.SIGKILL)
    other, begin = workers[1 - lost], time.monotonic()
    try:
        _, errors = other.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        other.kill()
        return "the other worker waits for ever"
    print(f"the other ends in {time.monotonic() - begin:.1f} s,", end=" ", flush=True)
    if other.returncode and "Traceback" in errors:
        return f"the other worker ends in a traceback: {errors[-500:]}"
    for worker in start(folder, output):
        _, errors = worker.communicate()
        if worker.returncode:
            return f"they do not go on: {errors[-500:]}"
    return None if preset_arrays(output / "preset") == expected else "other weights"


def start(folder: Path, output: Path) -> list[subprocess.Popen]:
    """Two workers."""
    tokens_per_step = 2 * 8 * 20
    command = elmo(
        *("train", "--text", str(folder / "text.txt"), "--output", str(output)),
        *("--options", str(FIXTURES / "bilm_tf" / "options.json"), "--min-count", "1"),
        *("--tokens", str(_STEPS * tokens_per_step), "--interval", "5"),
        *("--batch-size", "8", "--num-samples", "50"),
        *("--distribute", "multi-worker"),
    )
    return [
        subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CONFIG": json.dumps(configuration)},
        )
        for configuration in cluster(2)
    ]


def cluster(workers: int) -> list[dict]:
    """What each of so many workers of this machine is told by `TF_CONFIG`."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    return [
        {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        for index in range(workers)
    ]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_checkpoint(output: Path, workers: list[subprocess.Popen]) -> None:
    """Waits until both have saved the first one."""
    folders = [output / "checkpoints" / "bilm" / f"worker-{n}" for n in range(2)]
    while not all(list(folder.glob("step-*.npz")) for folder in folders):
        for worker in workers:
            if worker.poll():
                sys.exit(f"two workers fail by themselves: {worker.communicate()[1]}")
        time.sleep(0.01)


def checkpoint(output: Path, step: int) -> Path:
    return output / "checkpoints" / "bilm" / "worker-0" / f"step-{step:08}.npz"


if __name__ == "__main__":
    sys.exit(main())
