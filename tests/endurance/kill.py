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
"""

import argparse
import collections
import dataclasses
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from scenarios import SCENARIOS, Scenario, prepare, run
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
            moments = moments_of(scenario.command(folder))
            after = scenario.contents(folder)
            prepare(folder, scenario)
        chance = random.Random(f"{seed} {folder.name} {len(outcomes)}")
        moments.kill(scenario.command(folder), chance)
        left = scenario.contents(folder)
        outcome = problem(scenario, folder, left, before, after)
        if outcome is None:
            outcome = _LATE if left == after else _KILLED
        else:
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

    def kill(self, command: list[str], chance: random.Random) -> None:
        """Starts the command and kills it at one of these moments."""
        process = WarmPython(command)
        if not self.is_silent:
            process.wait_for_output()
        time.sleep(chance.uniform(self.first, self.last))
        process.kill()


def moments_of(command: list[str]) -> Moments:
    """Runs a command to its end, to know how long it takes."""
    begin = time.monotonic()
    process = WarmPython(command)
    process.wait_for_output()
    until_output = time.monotonic() - begin
    if process.wait():
        sys.exit(f"{command} fails by itself: {process.printed}")
    seconds = time.monotonic() - begin
    if until_output > 0.9 * seconds:
        return Moments(seconds / 2, seconds, is_silent=True)
    return Moments(0.0, seconds - until_output, is_silent=False)


def problem(
    scenario: Scenario, folder: Path, left: dict, before: dict, after: dict
) -> str | None:
    """What is wrong after a kill, or after the command that goes on."""
    if scenario.resume:
        damaged = damage(folder / scenario.output)
        if damaged:
            return f"damaged: {damaged[:3]}"
    elif left not in ({}, before, after):
        return "half written"
    done = run([*scenario.command(folder), *scenario.resume])
    if done.wait():
        return f"does not go on: {done.printed[-500:]}"
    return None if scenario.contents(folder) == after else "other contents"


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
