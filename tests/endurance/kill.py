"""Kills commands at random moments, and looks at what they leave.

    python tests/endurance/kill.py --times 100 --output killed

Each command is run to its end once. Then it is started again and again, from what was
there before, and killed (SIGKILL, with all processes that it started) at a moment from
the seed: between its first line of output and its end, or in its last half if it prints
nothing before the end. What is at its output then has to be absent, or what was there
before, or what it is at the end; of `embed`, `--check` may miss shards, but find none
damaged. The same command, with `--resume` where it has that, has to come to the same
contents as the first. Kills that came before the end are counted as `killed`, until
there are `--times` of them, the others as `ended before`. `--output` keeps the results,
and the folder of what failed; the same command goes on.

On Ray, the cluster outlives the commands, so that workers of one may still be there
when the next starts. Where a worker is killed and not the command, the command has to
come to the same contents by itself.
"""

import argparse
import collections
import dataclasses
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from scenarios import SCENARIOS, Scenario, prepare, processes_titled, run
from warm_python import WarmPython

from file_server import FileServer  # isort: skip, scenarios.py adds its folder

from keras_elmo import bulk
from keras_elmo.files.strict_json import read_object, write_object

_KILLED = "killed"
_LATE = "ended before"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=[*SCENARIOS])
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    serve_file()
    if any("ray" in name for name in args.only):
        start_cluster()
    state_path = args.output / "state.json"
    state = read_object(state_path) if state_path.is_file() else {}
    for name in args.only:
        outcomes = state.setdefault(name, [])
        folder = args.output.absolute() / name.replace(" ", "_")
        for outcome in kills(SCENARIOS[name], folder, outcomes, args.times, args.seed):
            outcomes.append(outcome)
            write_object(state_path, state)
    failed = 0
    for name, outcomes in state.items():
        counts = collections.Counter(outcomes)
        print(f"{name}: {dict(counts)}")
        failed += len(outcomes) - counts[_KILLED] - counts[_LATE]
        failed += counts[_KILLED] < args.times
    return int(failed > 0)


def kills(
    scenario: Scenario, folder: Path, outcomes: list[str], times: int, seed: int
) -> Iterator[str]:
    """The outcome of one kill after the other, until `outcomes` has enough of them."""
    is_measured = False
    while not enough(outcomes, times):
        prepare(folder, scenario)
        if not is_measured:
            before = scenario.contents(folder)
            moments = moments_of(scenario, folder)
            after = scenario.contents(folder)
            prepare(folder, scenario)
        chance = random.Random(f"{seed} {folder.name} {len(outcomes)}")
        process = moments.start(scenario, folder, chance)
        kill = kill_worker if scenario.worker else kill_command
        outcome = kill(process, scenario, folder, before, after)
        if outcome not in (_KILLED, _LATE):
            folder.rename(folder.with_name(f"{folder.name}-{len(outcomes)}"))
        # What is late was measured while the machine had more to do.
        is_measured = outcome != _LATE
        yield outcome


def serve_file() -> None:
    """A server for what is fetched."""
    server = FileServer()
    server.handle_error = lambda *_: None  # whom it answers is killed
    server.content = random.Random(0).randbytes(2**27)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["ENDURANCE_ADDRESS"] = server.address()


def start_cluster() -> None:
    """A cluster that the commands find, with room for the workers of one that died."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 4, "include_dashboard": False, "object_store_memory": 10**8}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    os.environ["RAY_ADDRESS"] = cluster.address


def enough(outcomes: list[str], times: int) -> bool:
    """Whether there are so many kills, or too many that came too late."""
    late = outcomes.count(_LATE)
    return len(outcomes) - late >= times or late >= max(times, 10)


@dataclasses.dataclass(frozen=True)
class Moments:
    """When a command is killed: so many seconds after its first output or its start."""

    first: float
    last: float
    is_silent: bool

    def start(
        self, scenario: Scenario, folder: Path, chance: random.Random
    ) -> WarmPython:
        """A process of the command that has come to one of these moments."""
        process = WarmPython(scenario.command(folder))
        if not self.is_silent:
            wait_for_work(process, scenario)
        time.sleep(chance.uniform(self.first, self.last))
        return process


def moments_of(scenario: Scenario, folder: Path) -> Moments:
    """Runs a command to its end, to know how long it takes."""
    begin = time.monotonic()
    process = WarmPython(scenario.command(folder))
    wait_for_work(process, scenario)
    until_work = time.monotonic() - begin
    if process.wait():
        sys.exit(f"{scenario.command(folder)} fails by itself: {process.printed}")
    seconds = time.monotonic() - begin
    if until_work > 0.9 * seconds:
        return Moments(seconds / 2, seconds, is_silent=True)
    return Moments(0.0, seconds - until_work, is_silent=False)


def wait_for_work(process: WarmPython, scenario: Scenario) -> None:
    """Returns once it has printed something, or has a worker, or has ended."""
    if not scenario.worker:
        process.wait_for_output()
    while scenario.worker and not processes_titled(scenario.worker):
        if process.wait(0.1) is not None:
            break


def kill_command(
    process: WarmPython, scenario: Scenario, folder: Path, before: dict, after: dict
) -> str:
    """Kills a command and lets it go on; how that ended."""
    process.kill()
    left = scenario.contents(folder)
    if scenario.resume:
        damaged = damage(folder / scenario.output)
        if damaged:
            return f"damaged: {damaged[:3]}"
    elif left not in ({}, before, after):
        return "half written"
    done = run([*scenario.command(folder), *scenario.resume])
    if done.wait():
        return f"does not go on: {done.printed[-500:]}"
    if scenario.contents(folder) != after:
        return "other contents"
    return _LATE if left == after else _KILLED


def kill_worker(
    process: WarmPython, scenario: Scenario, folder: Path, before: dict, after: dict
) -> str:
    """Kills the oldest worker of a command, which goes on; how that ended."""
    workers = processes_titled(scenario.worker)
    for worker in workers[:1]:
        os.kill(worker, signal.SIGKILL)
    if process.wait():
        return f"does not go on: {process.printed[-500:]}"
    if scenario.contents(folder) != after:
        return "other contents"
    return _KILLED if workers else _LATE


def damage(output: Path) -> list[str]:
    """What is worse than missing."""
    try:
        problems = bulk.check(output)
    except FileNotFoundError:
        return []
    expected = ("is missing", "it is not complete")
    return [line for line in problems if not any(words in line for words in expected)]


if __name__ == "__main__":
    sys.exit(main())
