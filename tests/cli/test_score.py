import gzip
import io
import json
import sys

import numpy as np
import pytest
from language_models import language_model
from models import small_bilm

from keras_elmo.cli.main import main
from keras_elmo.cli.score import _as_json
from keras_elmo.pretraining import SentenceScore

TEXT = "the cat sat\n\nthe\tdog b\xeft\n"


@pytest.fixture(scope="module")
def model():
    return language_model()


@pytest.fixture(scope="module")
def preset(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("score") / "preset"
    model.save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def scores(model):
    return model.score(TEXT.splitlines())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    return tmp_path


def score(preset, capsys, *arguments):
    main(["score", "--weights", str(preset), *arguments])
    return capsys.readouterr().out.splitlines()


def test_a_row_a_line(preset, folder, capsys, scores):
    header, *rows = score(preset, capsys, "text.txt")
    assert header.replace("\t", " ") == (
        "line tokens unknown forward backward mean perplexity"
    )
    assert len(rows) == 3
    for number, (row, expected) in enumerate(zip(rows, scores, strict=True), start=1):
        line, tokens, unknown, *values = row.split("\t")
        assert (line, tokens) == (str(number), str(len(expected.tokens)))
        assert unknown == str(expected.is_unknown.sum())
        wanted = expected.forward_total, expected.backward_total, expected.mean
        np.testing.assert_allclose([*map(float, values[:3])], wanted, atol=1e-4)
        assert float(values[3]) == pytest.approx(expected.perplexity, abs=0.01)
    assert rows[2].split("\t")[1:3] == ["2", "2"]


def test_a_row_a_token(preset, folder, capsys, scores):
    header, *rows = score(preset, capsys, "text.txt", "--per-token")
    assert header.split("\t") == ["line", "token", "unknown", "forward", "backward"]
    rows = [row.split("\t") for row in rows]
    assert [row[1] for row in rows] == [
        *("<S>", "the", "cat", "sat", "</S>"),
        *("<S>", "</S>"),
        *("<S>", r"the\tdog", "bït", "</S>"),
    ]
    assert [row[0] for row in rows] == [*"11111", *"22", *"3333"]
    assert [row[2] for row in rows[-4:]] == ["0", "1", "1", "0"]
    first = scores[0]
    forward = ["", *(f"{x:.4f}" for x in [*first.forward, first.forward_end])]
    backward = [*(f"{x:.4f}" for x in [first.backward_end, *first.backward]), ""]
    assert [row[3:] for row in rows[:5]] == [
        list(pair) for pair in zip(forward, backward, strict=True)
    ]


def test_an_object_a_line(preset, folder, capsys, scores):
    rows = [*map(json.loads, score(preset, capsys, "text.txt", "--json"))]
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert rows[2]["tokens"] == ["the\tdog", "bït"]
    assert rows[2]["is_unknown"] == [True, True]
    for row, expected in zip(rows, scores, strict=True):
        for name in ("forward", "backward", "forward_end", "backward_end", "mean"):
            np.testing.assert_allclose(row[name], getattr(expected, name), atol=1e-5)
        assert row["perplexity"] == pytest.approx(expected.perplexity, rel=1e-5)


def test_json_has_no_infinity():
    low = np.array([-1e4], "float32")
    score = SentenceScore(("a",), np.array([False]), low, low, -1e4, -1e4)
    (row,) = _as_json(1, score)
    assert json.loads(row)["perplexity"] is None


@pytest.fixture(autouse=True)
def standard_input(monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(TEXT.encode()))
    monkeypatch.setattr(sys, "stdin", text)


def test_standard_input_compressed_files_and_several(preset, folder, capsys, scores):
    (folder / "text.gz").write_bytes(gzip.compress(TEXT.encode()))
    options = ["--max-tokens", "3", "--tokenizer", "whitespace"]
    rows = score(preset, capsys, "-", "text.gz", "text.txt", *options)[1:]
    rows = [row.split("\t") for row in rows]
    assert [row[0] for row in rows] == [*"123456789"]
    assert [row[1] for row in rows] == [*"303"] * 3
    assert [row[1:] for row in rows[:3]] == [row[1:] for row in rows[3:6]]
    assert float(rows[0][3]) == pytest.approx(scores[0].forward_total, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no*.txt"], r"keras-elmo score: `inputs` should.*'no\*.txt'"),
        (["."], "`inputs` should be text files.*which is a folder"),
        (["-", "-"], "standard input at most once"),
        (["text.txt", "--max-tokens", "0"], "`max_tokens` should be a positive"),
        (["text.txt", "--weights", "nothing"], "'nothing'"),
        (["text.txt", "--weights", "without"], "vocabulary.txt"),
    ],
)
def test_mistakes_end_in_one_line(preset, folder, capsys, arguments, message):
    small_bilm().save_to_preset("without")
    with pytest.raises(SystemExit, match=message) as ended:
        score(preset, capsys, *arguments)
    assert "\n" not in str(ended.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments", [[], ["text.txt", "--json", "--per-token"], ["--max-tokens", "x"]]
)
def test_options_that_there_are_not(preset, folder, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        score(preset, capsys, *arguments)
    assert ended.value.code == 2
