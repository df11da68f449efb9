import signal
import subprocess
import sys
import time

import pytest
from models import small_bilm
from processes import without_extras
from same_bytes import bytes_of

from keras_elmo import ElmoEmbedding, bulk
from keras_elmo.bulk import run as run_module
from keras_elmo.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with text, and the weights of a small model."""
    monkeypatch.chdir(tmp_path)
    ElmoEmbedding(small_bilm()).save_to_preset("weights")
    text = "".join(f"this is sentence {n}\n" for n in range(40))
    (tmp_path / "text.txt").write_text(text)
    return tmp_path


def embed(output, *options, inputs=("text.txt",)):
    shards = ["--lines-per-shard", "2"]
    main(["embed", *inputs, output, "--weights", "weights", *shards, *options])


@pytest.mark.slow
def test_a_killed_run_goes_on(folder):
    (folder / "killed").mkdir()
    arguments = ["embed", "text.txt", "killed/v.hdf5", "--weights", "weights"]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_elmo", *arguments, "--lines-per-shard", "2"],
        stdout=subprocess.DEVNULL,
        env=without_extras(),
    )
    parts = folder / "killed" / "v.hdf5.parts"
    while not (parts / "part-000002").exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert "it is not complete" in bulk.check("killed/v.hdf5")[0]
    embed("v.hdf5")
    embed("killed/v.hdf5", "--resume")
    whole, resumed = folder.glob("v.hdf5*"), folder.glob("killed/v.hdf5*")
    assert bytes_of(*whole) == bytes_of(*resumed)


def test_embed_and_check(folder, capsys):
    embed("v", "--layers", "top", "--dtype", "float16", "--max-tokens", "100")
    output = capsys.readouterr().out
    assert "text: 40 sentences, 160 tokens, 20 shards" in output
    assert "bytes of vectors" in output and "free in" in output and "about" in output
    assert output.endswith("v is complete\n")
    with bulk.open("v") as embeddings:
        assert embeddings.shape == (None, 8) and embeddings.dtype == "float16"
    main(["embed", "--check", "v"])
    assert capsys.readouterr().out == "v is as it was written\n"
    (folder / "v" / "part-000003" / "vectors.npy").unlink()
    with pytest.raises(SystemExit, match="keras-elmo embed: v is not as it was"):
        main(["embed", "--check", "v"])
    told = "part-000003/vectors.npy is missing: lines 6 to 7\n"
    assert capsys.readouterr().out == told
    embed("v", "--layers=top", "--dtype=float16", "--max-tokens=100", "--resume")
    assert "1 of them to compute" in capsys.readouterr().out


def test_tiny_en_is_the_default(folder):
    (folder / "text.txt").write_text("a\tcat sat\n")
    main(["embed", "text.txt", "v.hdf5", "--tokenizer", "whitespace"])
    with bulk.open("v.hdf5") as embeddings:
        assert embeddings[0].shape == (3, 3, 256)


def test_shards(folder, capsys):
    embed("v", "--shard", "1/2")
    assert "part 1/2 is done; other parts of v are not" in capsys.readouterr().out
    embed("v", "--shard", "2/2")
    assert "v is complete" in capsys.readouterr().out


def test_ctrl_c(folder, monkeypatch, capsys):
    embed_shard = run_module.Run.embed

    def interrupt(self, number, embedded):
        if number == 3:
            raise KeyboardInterrupt
        embed_shard(self, number, embedded)

    with monkeypatch.context() as patch:
        patch.setattr(run_module.Run, "embed", interrupt)
        with pytest.raises(SystemExit) as ended:
            embed("v")
    assert ended.value.code == 130
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and "interrupted" in told[0] and "--resume" in told[0]
    embed("v", "--resume")
    assert "17 of them to compute" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ([], [], "Give INPUT... and OUTPUT before the options"),
        (["no*.txt"], [], r"keras-elmo embed: `inputs`.*'no\*.txt'"),
        (["text.txt"], ["--shard", "0"], "`shard` should be I/N"),
        (["text.txt"], ["--check"], "`--check` takes one OUTPUT"),
        (["text.txt"], ["--lines-per-shard", "0"], "`lines_per_shard`"),
        (["text.txt"], ["--weights", "none"], "'none'"),
    ],
)
def test_mistakes_end_in_one_line(inputs, options, message, folder):
    with pytest.raises(SystemExit, match=message) as ended:
        embed("v", *options, inputs=inputs)
    assert "\n" not in str(ended.value)
    assert not (folder / "v").exists()


@pytest.mark.parametrize(
    "options", [["--layers", "last"], ["--resume", "--overwrite"], ["--dtype", "int8"]]
)
def test_options_that_there_are_not(options, folder, capsys):
    with pytest.raises(SystemExit) as ended:
        embed("v", *options)
    assert ended.value.code == 2
    assert options[-1].lstrip("-") in capsys.readouterr().err
