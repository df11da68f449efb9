"""The snippets of README run, in their order."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from golden import FIXTURES, Golden
from processes import without_extras

import keras_elmo
from keras_elmo.cli.main import main
from keras_elmo.cli.parser import make_parser
from keras_elmo.examples.imdb import arguments as imdb_arguments

README = Path(__file__).parents[2] / "README.md"
PACKAGE = Path(keras_elmo.__file__).parent
PAGES = [README, *sorted(PACKAGE.rglob("README.md"))]


def commands_of(page, program):
    """The arguments of each command of a program in the blocks for a shell."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        if line.startswith(f"{program} "):
            yield shlex.split(line.removeprefix(program), comments=True)


def test_commands_have_the_arguments_that_they_are_shown_with():
    experiment = f"python -m {imdb_arguments.__package__}"
    for program, parse, fewest in (
        ("keras-elmo", make_parser().parse_args, 16),
        (experiment, imdb_arguments.parse, 1),
    ):
        shown = [args for page in PAGES for args in commands_of(page, program)]
        assert len(shown) >= fewest
        for arguments in shown:
            parse(arguments)


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
    command = [sys.executable, "-c", "\n".join(programs)]
    subprocess.run(command, env=without_extras(), check=True)
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()
