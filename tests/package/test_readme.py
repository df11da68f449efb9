"""The README's snippets run, in their order, as they stand there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from golden import FIXTURES, Golden

from keras_elmo.cli.main import main

README = Path(__file__).parents[2] / "README.md"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not README.is_file(), reason="README.md is not beside tests/"),
]


def test_snippets(tmp_path):
    snippets = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(snippets) == 8
    for path in Golden("skip").files.values():
        shutil.copy(path, tmp_path)
    shutil.copytree(FIXTURES / "skip" / "hub", tmp_path / "elmo_2")
    (tmp_path / "corpus.txt").write_text("the cat sat\n")
    main(["embed", str(tmp_path / "corpus.txt"), str(tmp_path / "vectors")])
    program = "\n".join([*snippets, "assert len(outputs) == 5 and len(layers) == 3"])
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()
