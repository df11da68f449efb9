import dataclasses
import json

from keras_elmo.cli import info
from keras_elmo.cli.main import main
from keras_elmo.presets import bundled, published_models


def test_without_source_prints_one_line_a_model(capsys):
    main(["info"])
    table, unreached = capsys.readouterr().out.split("\n\n")
    lines = table.splitlines()
    assert lines[0].split() == ["name", "language", "parameters", "corpus"]
    known = [*bundled(), *(model.name for model in published_models())]
    assert [line.split()[0] for line in lines[1:]] == known
    assert all(len(line) <= 88 for line in [*lines, *unreached.splitlines()])
    small = next(line for line in lines if line.startswith("allennlp/small"))
    assert small.split()[1] == "en" and "1 Billion Word" in small
    assert "Never reached from where this package was made: all addresses" in unreached


def test_addresses_that_were_never_reached(capsys, monkeypatch):
    main(["info", "--json"])
    known = json.loads(capsys.readouterr().out)
    assert {known[model.name]["reached"] for model in published_models()} == {"never"}
    assert all(known[model.name]["addresses from"] for model in published_models())
    first, second, *_ = published_models()
    reached = dataclasses.replace(first, reached=True)
    monkeypatch.setattr(info, "published_models", lambda: [reached, second])
    main(["info"])
    assert "those of ['allennlp/medium']" in capsys.readouterr().out
