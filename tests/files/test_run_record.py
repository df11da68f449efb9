import os
import re
from pathlib import Path

import pytest

from keras_elmo.files import atomic
from keras_elmo.files.run_record import RunRecord

VALUES = {"seed": 1, "rate": 0.5, "text": ["a", "b"], "options": Path("x.json")}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "record.json"


def test_new_run(path):
    record = RunRecord(path, VALUES)
    assert not record.is_resumed()
    assert not path.parent.exists()  # only `write` writes
    record.write()
    assert os.listdir(path.parent) == [path.name]


def test_resumed_run(path):
    RunRecord(path, VALUES).write()
    assert RunRecord(path, VALUES).is_resumed()
    assert RunRecord(str(path), {**VALUES, "text": ("a", "b")}).is_resumed()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"seed": 2}, "seed 1, now 2."),
        ({"text": ["b", "a"]}, "text ['a', 'b'], now ['b', 'a']."),
        ({"options": Path("y.json")}, "options 'x.json', now 'y.json'."),
        ({"seed": 2, "rate": 1.0}, "rate 0.5, now 1.0; seed 1, now 2."),
        ({"new": True}, "new None, now True."),
    ],
)
def test_other_values_are_refused(path, changes, said):
    RunRecord(path, VALUES).write()
    expected = f"'{re.escape(str(path))}' should go on with what it began with. "
    expected += f"Received: {re.escape(said)} .*choose a new folder"
    with pytest.raises(ValueError, match=expected):
        RunRecord(path, {**VALUES, **changes}).is_resumed()


def test_value_that_is_there_no_more(path):
    RunRecord(path, VALUES).write()
    with pytest.raises(ValueError, match="Received: seed 1, now None"):
        RunRecord(path, {k: v for k, v in VALUES.items() if k != "seed"}).is_resumed()


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "should be a JSON file"),
        ('{"seed": 1, "seed": 1}', "'seed' is there twice"),
        ("[" * 100_000, "nested too deep"),
        ("[1]", "should hold a JSON object. Received: list"),
        (b"\xff", "should be a JSON file"),
    ],
)
def test_damaged_record(path, text, said):
    path.parent.mkdir()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=f"{path} should .*") as error:
        RunRecord(path, VALUES).is_resumed()
    assert said in str(error.value) and "Received: " in str(error.value)


def test_record_is_there_whole_or_not_at_all(path, monkeypatch):
    RunRecord(path, VALUES).write()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(atomic.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        RunRecord(path, {"seed": 2}).write()
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]
    assert RunRecord(path, VALUES).is_resumed()


def test_value_that_json_does_not_hold(path):
    with pytest.raises(TypeError):
        RunRecord(path, {"seed": object()})
