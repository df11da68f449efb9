"""The snippets of README run, in their order."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from golden import FIXTURES, Golden

from keras_elmo.cli.main import main

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.slow
def test_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in Golden("skip").files.values():
        shutil.copy(path, tmp_path)
    shutil.copytree(FIXTURES / "skip" / "hub", tmp_path / "elmo_2")
    (tmp_path / "corpus.txt").write_text("the cat sat\n")
    main(["embed", "corpus.txt", "vectors"])

    programs = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(programs) == 9
    programs.append("assert len(outputs) == 5 and len(layers) == 3")
    subprocess.run([sys.executable, "-c", "\n".join(programs)], check=True)
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()
