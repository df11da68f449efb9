from keras_elmo.cli.main import main
from keras_elmo.presets import bundled, published_models


def test_without_source_prints_one_line_a_model(capsys):
    main(["info"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "language", "parameters", "corpus"]
    known = [*bundled(), *(model.name for model in published_models())]
    assert [line.split()[0] for line in lines[1:]] == known
    assert all(len(line) <= 88 for line in lines)
    small = next(line for line in lines if line.startswith("allennlp/small"))
    assert small.split()[1] == "en" and "1 Billion Word" in small
