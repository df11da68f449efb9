"""Kills commands at random moments, and looks at what they leave.

    python tests/endurance/kill.py --times 100 --output killed

Each command is run to its end once. Then it is started again and again, from what was
there before, and killed (SIGKILL, with all processes that it started) at a moment from
the seed: between its first line of output and its end, or in its last half if it prints
nothing before the end. What is at its output then has to be absent, or what was there
before, or what it is at the end; of `embed`, `--check` may miss shards, but find none
damaged. The same command, with `--resume` where it has that, has to come to the same
contents as the first. Kills that came before the end are counted as `killed`, the
others as `ended before`. `--output` keeps the results, and the folder of what failed;
the same command goes on.
"""

import argparse
import collections
import os
import random
import sys
import threading
import time
from pathlib import Path

from scenarios import SCENARIOS, Scenario, prepare, run
from warm_python import WarmPython

from file_server import FileServer  # isort: skip, scenarios.py adds its folder

from keras_elmo import bulk
from keras_elmo.files.strict_json import read_object, write_object


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
        if len(outcomes) >= args.times:
            continue
        scenario = SCENARIOS[name]
        folder = args.output.absolute() / name.replace(" ", "_")
        prepare(folder, scenario)
        before = scenario.contents(folder)
        until_output, seconds = time_of(scenario.command(folder))
        is_silent = until_output > 0.9 * seconds
        first = seconds / 2 if is_silent else 0.0
        last = seconds if is_silent else seconds - until_output
        after = scenario.contents(folder)
        for number in range(len(outcomes), args.times):
            chance = random.Random(f"{args.seed} {name} {number}")
            prepare(folder, scenario)
            command = scenario.command(folder)
            kill(command, chance.uniform(first, last), is_silent)
            left = scenario.contents(folder)
            outcome = problem(scenario, folder, left, before, after)
            if outcome is None:
                outcome = "ended before" if left == after else "killed"
            else:
                folder.rename(folder.with_name(f"{folder.name}-{number}"))
            outcomes.append(outcome)
            write_object(state_path, state)
    failed = 0
    for name, outcomes in state.items():
        counts = collections.Counter(outcomes)
        print(f"{name}: {dict(counts)}")
        failed += len(outcomes) - counts["killed"] - counts["ended before"]
        failed += not counts["killed"]  # or it shows nothing
    return int(failed > 0)


def serve_file() -> None:
    """A server for what is fetched."""
    server = FileServer()
    server.content = random.Random(0).randbytes(2**27)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["ENDURANCE_ADDRESS"] = server.address()


def time_of(command: list[str]) -> tuple[float, float]:
    """Seconds until the first output, and until the end."""
    begin = time.monotonic()
    process = WarmPython(command)
    process.wait_for_output()
    first = time.monotonic() - begin
    if process.wait():
        sys.exit(f"{command} fails by itself: {process.printed}")
    return first, time.monotonic() - begin


def kill(command: list[str], seconds: float, is_silent: bool) -> None:
    """Kills a command so long after its first output, or after its start."""
    process = WarmPython(command)
    if not is_silent:
        process.wait_for_output()
    time.sleep(seconds)
    process.kill()


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
