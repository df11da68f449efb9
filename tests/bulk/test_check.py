import json
import shutil

import h5py
import pytest

from keras_elmo import bulk
from keras_elmo.bulk.formats import FORMATS


def change(path, place=-1):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("format", ["parquet", "npy"])
def test_every_file_is_compared(format, embed, tmp_path):
    output = tmp_path / "v"
    embed(output, format=format, layers="top")
    assert bulk.check(output) == []
    shards = sorted(output.glob("part-*"))
    lines = ["lines 0 to 2", "lines 3 to 5", "lines 6 to 8", "lines 9 to 9"]
    for shard, told in zip(shards, lines, strict=True):
        for file in FORMATS[format].files(shard):
            name = str(file.relative_to(output))
            change(file)
            assert bulk.check(output) == [f"{name} is damaged: {told}"]
            change(file)
            content = file.read_bytes()
            file.write_bytes(content[:-1])
            assert bulk.check(output) == [f"{name} is damaged: {told}"]
            file.unlink()
            assert bulk.check(output) == [f"{name} is missing: {told}"]
            file.write_bytes(content)
    change(shards[3] if format == "parquet" else shards[3] / "tokens.txt")
    shutil.rmtree(shards[0]) if format == "npy" else shards[0].unlink()
    assert len(bulk.check(output)) == (4 if format == "npy" else 2)


def test_what_does_not_belong(embed, tmp_path):
    embed(tmp_path / "v", format="npy")
    (tmp_path / "v" / "part-000007").mkdir()
    assert bulk.check(tmp_path / "v") == ["part-000007 does not belong to it"]


def test_lines_of_hdf5_are_named(embed, tmp_path):
    output = tmp_path / "v.hdf5"
    embed(output)
    assert bulk.check(output) == []
    with h5py.File(output, "r+") as file:
        file["4"][0, 0, 0] += 1
        del file["9"]
    problems = bulk.check(output)
    assert problems[0] == "v.hdf5 is damaged"
    assert "vectors are missing or damaged: lines 3 to 5" in problems
    assert "vectors are missing or damaged: lines 9 to 9" in problems
    assert not any("lines 0 to 2" in problem for problem in problems)
    output.write_bytes(output.read_bytes()[:3000])
    assert bulk.check(output)[0] == "v.hdf5 is damaged"
    output.unlink()
    assert bulk.check(output) == ["v.hdf5 is missing"]


@pytest.mark.parametrize("format", FORMATS)
def test_an_output_that_is_not_complete(format, embed, tmp_path):
    output = tmp_path / "v"
    embed(output, format=format, shard="2/4")
    problems = bulk.check(output)
    assert problems[0] == "it is not complete: go on with it by --resume"
    suffix = FORMATS[format].suffix
    assert problems[1:] == [f"part-00000{n}{suffix} is missing" for n in (0, 1, 3)]


@pytest.mark.parametrize("name", ["v", "v.hdf5"])
def test_the_manifest_is_read_with_care(name, embed, tmp_path):
    output = tmp_path / name
    embed(output)
    manifest = output / "_manifest.json"
    if name == "v.hdf5":
        manifest = tmp_path / "v.hdf5.manifest.json"
    good = json.loads(manifest.read_text())
    for key, value in [
        ("run", {}),
        ("run", {**good["run"], "format": ["npy"]}),
        ("run", {**good["run"], "layers": "some"}),
        ("run", {**good["run"], "dtype": "int8"}),
        ("run", {**good["run"], "format": "parquet", "dtype": "int16"}),
        ("row_shape", [3, -8]),
        ("row_shape", [8]),
        ("row_shape", [3, 2**31]),
        ("shards", good["shards"][1:]),
        ("shards", [{**shard, "tokens": 1} for shard in good["shards"]]),
        ("shards", [{**shard, "files": {"../x": {}}} for shard in good["shards"]]),
        ("shards", [{**shard, "more": 1} for shard in good["shards"]]),
        ("files", {"v": 3}),
        ("text", 3),
    ]:
        manifest.write_text(json.dumps({**good, key: value}))
        (problem,) = bulk.check(output)
        assert str(manifest) in problem and "manifest" in problem, (key, value)
        if name == "v":
            with pytest.raises(ValueError, match="_manifest.json"):
                bulk.open(output)
    manifest.write_text("{")
    assert "should be a JSON file" in bulk.check(output)[0]
    manifest.unlink()
    assert bulk.check(output) == [f"{manifest.name} is missing"]


def test_there_is_no_such_output(tmp_path):
    for name in ("v", "v.hdf5"):
        with pytest.raises(FileNotFoundError, match=name):
            bulk.check(tmp_path / name)
