import sys

import pytest

from keras_elmo.cli import evaluate
from keras_elmo.cli.main import main


@pytest.fixture(autouse=True)
def no_weights_are_read(monkeypatch):
    def refuse(source):
        raise AssertionError("the weights were opened first")

    monkeypatch.setattr(evaluate, "open_weights", refuse)


def test_probe_tells_at_once_that_scikit_learn_lacks(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(SystemExit, match=r"pip install .keras-elmo\[probing\]"):
        main(["evaluate", "tiny_en", "--probe", str(tmp_path)])


def test_probe_tells_at_once_that_folder_or_files_lack(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn", sys)
    with pytest.raises(SystemExit, match="`--probe` should be a folder. Received"):
        main(["evaluate", "tiny_en", "--probe", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit, match="which has none"):
        main(["evaluate", "tiny_en", "--probe", str(tmp_path)])


def test_text_tells_at_once_that_nothing_matches(tmp_path):
    with pytest.raises(SystemExit, match="`--text` .*nothing.*matches none"):
        main(["evaluate", "tiny_en", "--text", str(tmp_path / "nothing*")])
