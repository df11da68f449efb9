"""The snippets of README and of the page on migrating run, in their order."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from golden import FIXTURES, Golden
from hub_cache import fill_hub_cache

from keras_elmo.cli.main import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MIGRATING = ROOT / "docs" / "migrating.md"

pytestmark = pytest.mark.slow


def snippets(document, language):
    if not document.is_file():
        pytest.skip(f"{document.name} is not beside tests/")
    pattern = rf"```{language}\n(.*?)```"
    return re.findall(pattern, document.read_text("utf-8"), re.DOTALL)


def run(programs, folder):
    """Runs them as one program, in a process of its own."""
    command = [sys.executable, "-c", "\n".join(programs)]
    subprocess.run(command, check=True, cwd=folder)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the snippets name, in which they run."""
    monkeypatch.chdir(tmp_path)
    for path in Golden("skip").files.values():
        shutil.copy(path, tmp_path)
    return tmp_path


def test_readme(folder):
    shutil.copytree(FIXTURES / "skip" / "hub", folder / "elmo_2")
    (folder / "corpus.txt").write_text("the cat sat\n")
    programs = snippets(README, "python")
    assert len(programs) == 9
    main(["embed", "corpus.txt", "vectors"])
    run([*programs, "assert len(outputs) == 5 and len(layers) == 3"], folder)
    assert (folder / "model.keras").is_file()
    assert (folder / "saved_model" / "saved_model.pb").is_file()


def test_migrating(folder, monkeypatch):
    # What is as it was before is marked as `py`, and does not run here.
    programs = snippets(MIGRATING, "python")
    assert len(programs) == 11
    for version in (2, 3):
        fill_hub_cache(monkeypatch, folder / "hub", version)
    (folder / "vocab.txt").write_text("<S>\n</S>\n<UNK>\nFirst\nsentence\n.\n")
    (folder / "sentences.txt").write_text("The cat sat on the mat\nDogs bark\n")
    (folder / "folder").mkdir()
    shutil.copy("options.json", "folder/options.json")
    shutil.copy("weights.hdf5", "folder/model.hdf5")
    shutil.copy("vocab.txt", "folder/vocab.txt")
    run([*programs, "assert vectors.shape[:2] == (2, 3)"], folder)
    with h5py.File("embeddings.hdf5") as file:
        assert file["0"].shape[:2] == (3, 6)

    (command,) = snippets(MIGRATING, "bash")
    main(shlex.split(command)[1:])
    with h5py.File("elmo_layers.hdf5") as file:
        assert file["0"].shape[:2] == (3, 6)
