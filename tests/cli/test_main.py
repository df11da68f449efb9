import json
import re

import numpy as np
import pytest
from golden import Golden

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.files.locks import lock_beside
from keras_elmo.pretraining.language_model import LanguageModel

OPTIONS = {
    "lstm": {
        "dim": 8,
        "projection_dim": 4,
        "n_layers": 1,
        "cell_clip": 3,
        "proj_clip": 3,
        "use_skip_connections": True,
    },
    "char_cnn": {
        "embedding": {"dim": 4},
        "filters": [[1, 4], [2, 4]],
        "n_highway": 1,
        "activation": "relu",
        "max_characters_per_token": 50,
    },
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with text and the options of a small model."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b", "held_out"):
        lines = [
            " ".join(rng.choice(["the", "cat", "dog", "sat"], rng.integers(1, 9)))
            for _ in range(60)
        ]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    (tmp_path / "options.json").write_text(json.dumps(OPTIONS))
    return tmp_path


def train(*arguments):
    small = ["--batch-size", "4", "--unroll-steps", "5", "--learning-rate", "0.01"]
    main(["train", "--text", "[ab].txt", *small, *arguments])


@pytest.mark.slow
def test_train_then_embed_evaluate_continue_and_adapt(folder, capsys):
    scratch = ["--options", "options.json", "--tokens", "800", "--output", "run"]
    train(*scratch, "--validation", "held_out.txt", "--min-count", "1")
    output = capsys.readouterr().out
    assert "120 sentences" in output and "vocabulary of 7" in output
    assert "bilm 40/40" in output and "tokens/s" in output
    # It tells of memory before the first line of progress, and of time after 25 steps.
    forecast = output.split("bilm 40/40")[0]
    assert re.search(r"to train: [\d,]+ weights; .* kB of memory", forecast)
    assert re.search(r"time: about \d+ s, at .*; memory: .* so far", output)
    metadata = json.loads((folder / "run/preset/metadata.json").read_text())
    assert metadata["steps"] == 40 and metadata["seed"] == 1
    assert metadata["perplexity"]["both"] < 7
    assert ElmoEmbedding.from_preset("run/preset")(["the cat"])["elmo"].shape == (
        1,
        2,
        8,
    )

    # The perplexity that it prints is that of the preset.
    batch = ["--batch-size", "4", "--unroll-steps", "5"]
    main(["evaluate", "run/preset", "--text", "held_out.txt", *batch])
    printed = capsys.readouterr().out.split()[-1]
    assert float(printed) == pytest.approx(metadata["perplexity"]["both"], abs=0.01)

    # Continue from the preset: the softmax goes along.
    (folder / "facts.json").write_text('{"license": "CC0-1.0"}')
    options = ("--averaging", "0.2", "--dtype", "float16", "--metadata", "facts.json")
    train("--from", "run/preset", "--tokens", "200", "--output", "continued", *options)
    output = capsys.readouterr().out
    assert "bilm 10/10" in output and "softmax" not in output.split("wrote")[0]
    assert "time: about" not in output  # of ten steps
    of_continued = json.loads((folder / "continued/preset/metadata.json").read_text())
    assert of_continued["trained_from"] == {"source": ["run/preset"], **metadata}
    assert of_continued["license"] == "CC0-1.0"
    with np.load(folder / "continued/preset/model.npz") as arrays:
        assert {array.dtype for array in arrays.values()} == {np.dtype("float16")}
    continued = LanguageModel.from_preset("continued/preset", 1)
    assert len(continued.vocabulary) == 7

    # Adapt weights without one: it is fitted first, with the biLM frozen.
    BiLM.from_preset("run/preset").to_hdf5("o.json", "w.hdf5")
    adapt = ["--from", "o.json", "w.hdf5", "--tokens", "200", "--min-count", "1"]
    train(*adapt, "--softmax-tokens", "400", "--output", "adapted")
    output = capsys.readouterr().out
    assert output.index("softmax 20/20") < output.index("bilm 10/10")
    adapted = BiLM.from_preset("adapted/preset")
    adapted.to_hdf5("o2.json", "w2.hdf5")
    again = ElmoEmbedding.from_hdf5("o2.json", "w2.hdf5")
    np.testing.assert_array_equal(
        again(["the cat"])["elmo"],
        ElmoEmbedding.from_preset("adapted/preset")(["the cat"])["elmo"],
    )

    # The same run goes on with the same options only.
    train(*scratch, "--validation", "held_out.txt", "--min-count", "1")
    with pytest.raises(SystemExit, match="dropout 0.1, now 0.2"):
        train(
            *scratch,
            "--validation",
            "held_out.txt",
            "--min-count",
            "1",
            "--dropout",
            ".2",
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "none/*.txt"], "keras-elmo train: `--text`.*matches none"),
        (["--validation", "none.txt"], r"`--validation`.*none\.txt"),
        (["--from", "nothing"], "'nothing', which is none"),
        (["--from", "a", "b", "c"], "Weights should be a preset"),
        (["--vocabulary", "a.txt"], r"a\.txt.*begin with <S>, </S>, <UNK>"),
        (["--min-count", "1000"], "`min_count` and `max_size` should leave words"),
        (["--tokens", "-1"], "`tokens` should be a positive integer"),
        (["--epochs", "0"], "`epochs` should be a number above 0"),
        (["--learning-rate", "nan"], "`learning_rate` should be a number above 0"),
        (["--clip-norm", "0"], "`clip_norm` should be a number above 0"),
        (["--metadata", "a.txt"], r"a\.txt should be a JSON file"),
        (["--batch-size", "0"], "`batch_size` should be a positive integer"),
    ],
)
def test_mistakes_end_in_one_line(folder, arguments, message):
    with pytest.raises(SystemExit, match=message):
        sizes = [] if "--from" in arguments else ["--options", "options.json"]
        train(*sizes, "--output", "run", *arguments)
    assert not (folder / "run" / "preset").exists()


def test_options_are_not_for_weights_that_are_there(folder):
    with pytest.raises(SystemExit, match="not together with `--from`"):
        train("--options", "options.json", "--from", "tiny_en", "--output", "run")


def test_two_runs_of_one_folder(folder):
    scratch = ["--options", "options.json", "--output", "run"]
    with (
        lock_beside("run.worker-0"),
        pytest.raises(SystemExit, match="`--output` should be a path that no other"),
    ):
        train(*scratch)
    assert not (folder / "run").exists()


@pytest.mark.slow
def test_a_run_knows_its_vocabulary_tokenizer_and_text(folder, capsys):
    scratch = ["--options", "options.json", "--tokens", "40", "--output", "run"]
    scratch += ["--validation", "held_out.txt", "--tokenizer", "whitespace"]
    (folder / "held_out.txt").write_text("the\tcat\nthe dog\tsat\n")
    # A mistake begins no run, so that the vocabulary is that of the next command.
    with pytest.raises(SystemExit, match="should leave words"):
        train(*scratch, "--min-count", "1000")
    train(*scratch, "--min-count", "1")
    assert len(LanguageModel.from_preset("run/preset", 1).vocabulary) == 7

    assert ElmoEmbedding.from_preset("run/preset").tokenizer == "whitespace"
    capsys.readouterr()
    main(["evaluate", "run/preset", "--text", "held_out.txt"])
    assert "2 sentences, 7 tokens" in capsys.readouterr().out

    # The same text is found by another path.
    train(*scratch, "--min-count", "1", "--text", str(folder / "[ab].txt"))
    with open("a.txt", "a") as file:
        file.write("\nthe dog")
    with pytest.raises(SystemExit, match=r"tokens of the text \d+, now"):
        train(*scratch, "--min-count", "1")
    text = (folder / "a.txt").read_text().removesuffix("\nthe dog")
    (folder / "a.txt").write_text(text.replace("the", "dog"))
    with pytest.raises(SystemExit, match="Received: hash of the text"):
        train(*scratch, "--min-count", "1")


def test_nothing_to_evaluate(folder):
    with pytest.raises(SystemExit, match="give --text or --probe"):
        main(["evaluate", "run/preset"])
    files = map(str, Golden("skip").files.values())
    with pytest.raises(SystemExit, match=r"should be a vocabulary\.txt.*has none"):
        main(["evaluate", *files, "--text", "a.txt"])
