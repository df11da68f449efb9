"""Kills commands at random moments, and looks at what they leave.

    python tests/endurance/kill.py --times 100 --output killed

Each command is run to its end once. Then it is started again and again, from what was
there before, and killed (SIGKILL, with all processes that it started) at a moment
between its first line of output and its end, from the seed. What is at its output then
has to be absent, or what was there before, or what it is at the end. The same command,
with `--resume` where it has that, has to come to the same contents as the first. Those
that were killed while they worked, and not before or after, are counted. `--output`
keeps the results, and the folder of what failed; the same command goes on.
"""

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from scenarios import SCENARIOS, Scenario, prepare, run

from file_server import FileServer  # isort: skip, scenarios.py adds its folder

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
        start, seconds = time_of(scenario.command(folder))
        after = scenario.contents(folder)
        for number in range(len(outcomes), args.times):
            chance = random.Random(f"{args.seed} {name} {number}")
            prepare(folder, scenario)
            command = scenario.command(folder)
            was_killed = kill(command, chance.uniform(0, seconds - start))
            outcome = problem(scenario, folder, before, after)
            if outcome is None:
                outcome = "killed" if was_killed else "ended before"
            else:
                folder.rename(folder.with_name(f"{folder.name}-{number}"))
            outcomes.append(outcome)
            write_object(state_path, state)
    failed = 0
    for name, outcomes in state.items():
        counts = collections.Counter(outcomes)
        print(f"{name}: {dict(counts)}")
        failed += len(outcomes) - counts["killed"] - counts["ended before"]
    return failed


def serve_file() -> None:
    """A server for what is fetched."""
    server = FileServer()
    server.content = random.Random(0).randbytes(2**27)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["ENDURANCE_ADDRESS"] = server.address()


def time_of(command: list[str]) -> tuple[float, float]:
    """Seconds until the first line of output, and until the end."""
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        first = time.monotonic() - begin
        process.stdout.read()
    if process.returncode:
        sys.exit(f"{command} fails by itself")
    return first, time.monotonic() - begin


def kill(command: list[str], seconds: float) -> bool:
    """Kills a command so long after its first output; whether it was still running."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        process.stdout.read(1)
        time.sleep(seconds)
        was_running = process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
    return was_running


def problem(scenario: Scenario, folder: Path, before: dict, after: dict) -> str | None:
    """What is wrong after a kill, or after the command that goes on."""
    left = scenario.contents(folder)
    is_partial = bool(scenario.resume)  # shards that are whole, see `--check`
    if not is_partial and left not in ({}, before, after):
        return "half written"
    done = run([*scenario.command(folder), *scenario.resume])
    if done.returncode:
        return f"does not go on: {done.stderr[-500:]}"
    if scenario.contents(folder) != after:
        return "other contents"
    scratch = [path.name for path in folder.rglob(".*-????????")]
    return f"left {scratch[:3]}" if scratch else None


if __name__ == "__main__":
    sys.exit(main())
