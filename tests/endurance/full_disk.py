"""Commands on a disk that is full at every stage of their work.

    sudo python tests/endurance/full_disk.py --sizes 12

Each command is run on a file system in memory (tmpfs), which needs the right to mount,
of so many sizes between nothing and what it takes. It has to end with an error that
names the disk, and leave what was there before, or whole shards; with more room the
same command, with `--resume` where it has that, has to come to what it comes to
elsewhere.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scenarios import SCENARIOS, Scenario, prepare, run

_WORDS = "No space left on device"
_ALL = 2**26
# kill.py has the server, and what it kills is no other command.
_OF_KILL = {"fetch", "worker on ray"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, default=12, help="of the disk")
    names = [name for name in SCENARIOS if name not in _OF_KILL]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    failed = 0
    for name in args.only:
        with tempfile.TemporaryDirectory() as disk:
            problems = on_disk(SCENARIOS[name], Path(disk), args.sizes)
        print(f"{name}: {args.sizes - len(problems)} of {args.sizes}", *problems)
        failed += len(problems)
    return int(failed > 0)


def on_disk(scenario: Scenario, disk: Path, sizes: int) -> list[str]:
    """What went wrong, a line a size."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
    try:
        folder = disk / "work"
        resize(disk, _ALL)
        prepare(folder, scenario)
        before, least = scenario.contents(folder), used(disk)
        done = run(scenario.command(folder))
        if done.wait():
            sys.exit(f"{scenario.command(folder)} fails by itself: {done.printed}")
        after, most = scenario.contents(folder), used(disk)
        problems = []
        for number in range(sizes):
            resize(disk, _ALL)
            prepare(folder, scenario)
            resize(disk, least + (most - least) * number // sizes)
            found = problem(scenario, folder, disk, before, after)
            problems += [f"\n   size {number}: {found}"] if found else []
        return problems
    finally:
        subprocess.run(["umount", disk], check=True)


def problem(
    scenario: Scenario, folder: Path, disk: Path, before: dict, after: dict
) -> str | None:
    """What is wrong on a disk that is too small, or later with more room."""
    command = scenario.command(folder)
    done = run(command)
    if done.wait() == 0:
        return "it ended as if all were well"
    is_code = command[0] == "-c"  # whose errors are exceptions
    if done.wait() < 0 or ("Traceback" in done.printed and not is_code):
        return f"it crashed ({done.wait()}): {done.printed[-500:]}"
    if _WORDS not in done.printed:
        return f"its error does not tell of the disk: {done.printed[-300:]}"
    left = scenario.contents(folder)
    if not scenario.resume and left not in ({}, before):
        return "half written"
    resize(disk, _ALL)
    done = run([*command, *scenario.resume])
    if done.wait():
        return f"does not go on: {done.printed[-500:]}"
    return None if scenario.contents(folder) == after else "other contents"


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def used(disk: Path) -> int:
    return shutil.disk_usage(disk).used


if __name__ == "__main__":
    sys.exit(main())
