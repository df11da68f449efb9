"""Commands that write, and what has to be there after each was interrupted."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from warm_python import WarmPython

sys.path.append(str(Path(__file__).parents[1] / "helpers"))

from golden import FIXTURES  # noqa: E402

_SENTENCES = ["the cat sat on the mat", "", "dogs ran off", "it rained all night"]
_SAVE = """
import sys, keras_elmo
elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
print("ready", flush=True)
elmo.save_to_preset(sys.argv[1], overwrite=True)
"""
_FETCH = """
import sys
from keras_elmo.files.download import download
print("ready", flush=True)
download(sys.argv[1], sys.argv[2])
"""


class Scenario(NamedTuple):
    """A command, which writes to the last of its arguments.

    Attributes:
        command: The arguments of Python, of the folder to work in.
        output: What it writes, in that folder.
        resume: What the command has at its end to go on after an interruption.
        before: Makes what is there already, or None.
        read: Contents to compare, by name. Defaults to the bytes of all files.
        worker: Title of its processes, of which one is killed in place of the command.
    """

    command: Callable[[Path], list[str]]
    output: str
    resume: tuple[str, ...] = ()
    before: Callable[[Path], None] | None = None
    read: Callable[[Path], dict[str, bytes]] | None = None
    worker: str = ""

    def contents(self, folder: Path) -> dict[str, bytes]:
        """What is there now; nothing if the output is not."""
        path = folder / self.output
        return (self.read or file_hashes)(path) if path.exists() else {}


def file_hashes(path: Path) -> dict[str, bytes]:
    """SHA-256 of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return {
        file.relative_to(path.parent).as_posix(): hashlib.sha256(
            file.read_bytes()
        ).digest()
        for file in files
    }


def preset_arrays(path: Path) -> dict[str, bytes]:
    """All of a preset, but arrays in place of archives, which hold the time too."""
    hashes = file_hashes(path)
    arrays = {name: hashes[name] for name in hashes if not name.endswith(".npz")}
    for file in path.rglob("*.npz"):
        with np.load(file) as content:
            arrays |= {
                f"{file.stem} {name}": content[name].tobytes() for name in content
            }
    return arrays


def write_text(folder: Path) -> None:
    """Some hundred sentences."""
    lines = [f"{sentence} {n}" for n in range(100) for sentence in _SENTENCES]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", "utf-8")


def run(command: list[str]) -> WarmPython:
    """Runs a command to its end."""
    process = WarmPython(command)
    process.wait()
    return process


def processes_titled(title: str) -> list[int]:
    """The processes whose title has these words, the oldest first."""
    found = subprocess.run(["pgrep", "--full", title], capture_output=True, text=True)
    return [int(process) for process in found.stdout.split()]


def elmo(*arguments: str) -> list[str]:
    """Arguments of Python that make it the command `keras-elmo`."""
    return ["-m", "keras_elmo", *arguments]


def _embed(name: str, *options: str, worker: str = "") -> Scenario:
    def command(folder: Path) -> list[str]:
        text, output = str(folder / "text.txt"), str(folder / name)
        # full_disk.py tries what is refused otherwise.
        shards = "--lines-per-shard", "20", "--ignore-free-space"
        return elmo("embed", text, output, *shards, *options)

    return Scenario(command, name, ("--resume",), worker=worker)


def _train(folder: Path) -> list[str]:
    return elmo(
        *("train", "--text", str(folder / "text.txt"), "--output", str(folder / "run")),
        *("--options", str(FIXTURES / "bilm_tf" / "options.json"), "--min-count", "1"),
        *("--epochs", "20", "--batch-size", "8", "--interval", "5"),
        *("--num-samples", "50"),
    )


def _convert(folder: Path) -> list[str]:
    return elmo("convert", "tiny_en", str(folder / "preset"), "--force")


def _other_preset(folder: Path) -> None:
    source = [
        str(FIXTURES / "skip" / name) for name in ("options.json", "weights.hdf5")
    ]
    done = run(elmo("convert", *source, str(folder / "preset"), "--force"))
    assert done.wait() == 0, done.printed


def _save(folder: Path) -> list[str]:
    return ["-c", _SAVE, str(folder / "preset")]


def _fetch(folder: Path) -> list[str]:
    address = os.environ["ENDURANCE_ADDRESS"]
    return ["-c", _FETCH, address, str(folder / "fetched")]


_ON_RAY = ("--engine", "ray", "--workers", "2")
SCENARIOS = {
    "embed npy": _embed("vectors"),
    "embed int16": _embed("vectors", "--dtype", "int16"),
    "embed parquet": _embed("vectors.parquet"),
    "embed hdf5": _embed("vectors.hdf5"),
    "embed on ray": _embed("vectors", *_ON_RAY),
    "worker on ray": _embed("vectors", *_ON_RAY, worker="ray::MapWorker"),
    "train": Scenario(_train, "run/preset", read=preset_arrays),
    "convert": Scenario(_convert, "preset", (), _other_preset, preset_arrays),
    "save": Scenario(_save, "preset", (), _other_preset, preset_arrays),
    "fetch": Scenario(_fetch, "fetched/elmo.tar.gz"),
}


def prepare(folder: Path, scenario: Scenario) -> None:
    """Copies a folder with text and what is there before the command, made once."""
    start = folder.with_name(f"{folder.name}.start")
    if not start.is_dir():
        start.mkdir(parents=True)
        write_text(start)
        if scenario.before:
            scenario.before(start)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder)
