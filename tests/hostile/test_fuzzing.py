import random

import fuzz
import pytest
from mutations import mutated
from processes import without_extras
from worker import outcome


def test_a_case_is_a_function_of_its_number():
    content = b'{"a": [1, 2, {"b": "text"}]}' * 3
    made = [mutated(content, random.Random(f"1 {n}")) for n in range(50)]
    again = [mutated(content, random.Random(f"1 {n}")) for n in range(50)]
    assert made == again and len(set(made)) > 40 and content not in made


def raises(error):
    raise error


def test_outcomes():
    assert outcome(lambda: None) == "loaded"
    assert outcome(lambda: raises(FileNotFoundError("x"))) == "refused"
    assert outcome(lambda: raises(MemoryError())) == "memory"
    assert outcome(lambda: raises(KeyError("x"))) == "KeyError: 'x'"


@pytest.mark.slow
def test_no_findings_and_a_run_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", without_extras()["PYTHONPATH"])
    given = ["--output", str(tmp_path), "--seed", "1"]
    assert fuzz.main([*given, "--count", "100"]) == 0
    assert "100 of 100" in capsys.readouterr().out
    assert fuzz.main([*given, "--count", "300"]) == 0
    told = capsys.readouterr().out
    assert "300 of 300" in told and "100 of 300" not in told
    for name in fuzz.SUBJECTS:
        assert f"  {name} refused" in told
        # A checkpoint in an archive has checksums for all that may be changed.
        assert name == "archive" or f"  {name} loaded" in told
