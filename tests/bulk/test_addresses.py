"""Text and outputs that are not on this machine."""

import gzip
import uuid

import numpy as np
import pytest
from same_bytes import contents

from keras_elmo import bulk
from keras_elmo.bulk import output as output_module
from keras_elmo.bulk.manifest import Shard
from keras_elmo.bulk.output import Output
from keras_elmo.bulk.this_process import ThisProcess
from keras_elmo.cli.main import main
from keras_elmo.files.paths import as_path

pytest.importorskip("upath", reason="universal_pathlib is not installed")


@pytest.fixture(params=["memory", "s3"])
def folder(request):
    """An address that nothing is at."""
    if request.param == "memory":
        return f"memory://{uuid.uuid4().hex}"
    return request.getfixturevalue("bucket")


@pytest.mark.parametrize("format", ["npy", "parquet"])
def test_bytes_are_those_of_this_machine(embed, text, folder, tmp_path, format):
    packed = gzip.compress(text.read_bytes())
    for name, content, inputs, output in (
        ("text.txt.gz", packed, "text.txt.gz", f"{folder}/vectors"),
        ("text.txt", text.read_bytes(), "*.txt", f"{folder}/again"),
    ):
        as_path(f"{folder}/corpus/{name}").write_bytes(content)
        assert embed(output, inputs=f"{folder}/corpus/{inputs}", format=format)
        (tmp_path / name).write_bytes(content)
        embed(tmp_path / output[-5:], inputs=tmp_path / name, format=format)
        assert contents(as_path(output)) == contents(tmp_path / output[-5:])
        assert bulk.check(output) == []
    with bulk.open(output) as there, bulk.open(tmp_path / "again") as here:
        assert len(there) == len(here) == 10
        for number in (0, 9, 4):
            np.testing.assert_array_equal(there[number], here[number])
            assert there.tokens(number) == here.tokens(number)


def test_an_interrupted_run_goes_on(embed, folder, monkeypatch):
    output = f"{folder}/vectors"
    embed(output)
    expected = contents(as_path(output))
    recorded = Output.record

    def interrupted(self, number, files):
        if number == 2:
            raise KeyboardInterrupt
        recorded(self, number, files)

    monkeypatch.setattr(Output, "record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(output, overwrite=True)
    problems = bulk.check(output)
    assert problems[0].startswith("it is not complete") and len(problems) == 3
    with pytest.raises(ValueError, match="should be complete"):
        bulk.open(output)
    with pytest.raises(FileExistsError):
        embed(output)
    monkeypatch.setattr(Output, "record", recorded)
    lines = []
    assert embed(output, resume=True, report=lines.append)
    assert "4 shards, 2 of them to compute" in lines[0]
    assert contents(as_path(output)) == expected


def test_damage_is_found_and_mended(embed, folder):
    output = f"{folder}/vectors"
    embed(output)
    expected = contents(as_path(output))
    (as_path(output) / "part-000001" / "vectors.npy").write_bytes(b"other")
    (as_path(output) / "part-000003" / "tokens.txt").unlink()
    assert [problem.split(" is ")[0] for problem in bulk.check(output)] == [
        "part-000001/vectors.npy",
        "part-000003/tokens.txt",
    ]
    embed(output, resume=True)
    assert contents(as_path(output)) == expected


def test_other_options_are_refused(embed, folder):
    embed(f"{folder}/vectors")
    with pytest.raises(ValueError, match=f"{folder}/vectors.*layers 'all', now 'top'"):
        embed(f"{folder}/vectors", layers="top", resume=True)


def test_commands(folder, text, capsys):
    output = f"{folder}/vectors"
    main(["embed", str(text), output, "--layers", "default"])
    assert f"{output} is complete" in capsys.readouterr().out
    main(["embed", "--check", output])
    assert f"{output} is as it was written" in capsys.readouterr().out
    assert (as_path(output) / "_manifest.json").is_file()


class Overtaken(ThisProcess):
    """Embeds its part, after which another process finishes at the worst moment."""

    def __init__(self, monkeypatch, finish):
        self.monkeypatch, self.finish = monkeypatch, finish
        self.is_overtaken = False

    def __call__(self, run, work, embedded):
        super().__call__(run, work, embedded)
        has_ended = Output.has_ended

        def not_yet(output):
            self.monkeypatch.setattr(Output, "has_ended", has_ended)
            self.is_overtaken = self.finish()
            return False

        self.monkeypatch.setattr(Output, "has_ended", not_yet)


def test_finished_by_another(embed, folder, monkeypatch):
    """There are no locks, so that it may come between a look and what follows it."""
    output = f"{folder}/vectors"
    engine = Overtaken(monkeypatch, lambda: embed(output, resume=True))
    assert not embed(output, shard="1/2")
    assert embed(output, shard="2/2", engine=engine)
    assert engine.is_overtaken and bulk.check(output) == []


def test_a_record_that_another_deletes(embed, folder, monkeypatch):
    """It is there at a look, and no more when it is read."""
    embed(f"{folder}/vectors", shard="1/2")
    place = Output(f"{folder}/vectors", "npy")
    number = next(n for n in range(4) if place.recorded(n, Shard(0, 0, 0, "")))

    def deleted(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(output_module, "read_object", deleted)
    assert place.recorded(number, Shard(0, 0, 0, "")) is None


@pytest.mark.parametrize("folder", ["s3"], indirect=True)
def test_unreachable(embed, folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(OSError, match="address that can be reached"):
        embed(f"{folder}/vectors")
    with pytest.raises(OSError, match="address that can be reached"):
        embed("here", inputs=f"{folder}/*.txt")
    for read in (bulk.open, bulk.check):
        with pytest.raises(OSError, match="address that can be reached"):
            read(f"{folder}/vectors")


def test_one_file_is_refused(embed, folder):
    with pytest.raises(ValueError, match="parquet or npy at an address"):
        embed(f"{folder}/vectors.hdf5")


def test_nothing_there(embed, folder):
    with pytest.raises(FileNotFoundError):
        bulk.open(f"{folder}/nothing")
    with pytest.raises(FileNotFoundError):
        bulk.check(f"{folder}/nothing")
    with pytest.raises(FileNotFoundError, match="matches none"):
        embed(f"{folder}/vectors", inputs=f"{folder}/*.txt")
