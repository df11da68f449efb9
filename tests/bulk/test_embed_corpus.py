import contextlib
import errno
import gzip
import importlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from full_disk import largest_file
from golden import assert_close
from models import small_bilm
from refusal import refused
from same_bytes import bytes_of

from keras_elmo import ElmoEmbedding, bulk
from keras_elmo.bulk import output as output_module
from keras_elmo.bulk import run as run_module
from keras_elmo.bulk.formats import DTYPES, FORMATS
from keras_elmo.bulk.layers import LAYERS
from keras_elmo.files.locks import lock_beside

OUTPUTS = {"hdf5": "v.hdf5", "parquet": "v.parquet", "npy": "v"}
KINDS = [*((format, "float32") for format in FORMATS), ("npy", "int16")]


def all_of(output):
    """An output with what lies beside it."""
    return bytes_of(*output.parent.glob(f"{output.name}*"))


class Interrupted(BaseException):
    """As KeyboardInterrupt, without an end to the tests."""


@contextlib.contextmanager
def interrupted_at(number):
    """Interrupts a run in the middle of a shard."""
    embed = run_module.Run.embed

    def interrupt(tokens):
        raise Interrupted

    def embed_or_interrupt(self, shard, embedded):
        embed(self, shard, interrupt if shard == number else embedded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module.Run, "embed", embed_or_interrupt)
        with pytest.raises(Interrupted):
            yield


def expected(elmo, lines, layers):
    """What one call computes, in the form of an output."""
    out = {key: np.asarray(x) for key, x in elmo(lines).items()}
    doubled = np.concatenate([out["word_emb"]] * 2, axis=-1)
    stacked = np.stack([doubled, out["lstm_outputs1"], out["lstm_outputs2"]], axis=1)
    chosen = {
        "all": stacked,
        "top": out["lstm_outputs2"],
        "average": stacked.mean(axis=1),
        "elmo": out["elmo"],
        "default": out["default"],
    }[layers]
    if layers == "default":
        return list(chosen)
    counts = [len(line.split()) for line in lines]
    return [row[..., :count, :] for row, count in zip(chosen, counts, strict=True)]


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("format", FORMATS)
def test_every_line_is_embedded(format, layers, elmo, embed, text, tmp_path):
    output = tmp_path / "out" / OUTPUTS[format]
    assert embed(output, layers=layers)
    lines = text.read_text().splitlines()
    with bulk.open(output) as embeddings:
        assert len(embeddings) == len(lines) == 10
        for found, wanted in zip(
            embeddings, expected(elmo, lines, layers), strict=True
        ):
            assert found.dtype == "float32" and found.shape == wanted.shape
            assert_close(found, wanted, atol=1e-5)
        if format != "hdf5":
            assert embeddings.tokens(5) == ["café", "猫", "😀"]
            assert embeddings.tokens(2) == []
    assert bulk.check(output) == []
    shape = {"all": (3, None, 8), "default": (8,)}.get(layers, (None, 8))
    assert embeddings.shape == shape


def test_hdf5_is_allennlps(elmo, embed, text, tmp_path):
    text.write_text("a cat\n\ndogs \na cat\n")
    embed(tmp_path / "v.hdf5")
    with h5py.File(tmp_path / "v.hdf5") as file:
        assert set(file) == {"0", "1", "2", "3", "sentence_to_index"}
        assert file["0"].shape == (3, 2, 8) and file["1"].shape == (3, 0, 8)
        assert file["0"].dtype == "float32"
        assert file["sentence_to_index"].shape == (1,)
        index = json.loads(file["sentence_to_index"][0])
        np.testing.assert_array_equal(file["0"][0, :, :4], file["0"][0, :, 4:])
    assert index == {"a cat": "3", "": "1", "dogs": "2"}  # the last one wins


@pytest.mark.parametrize(("format", "dtype"), KINDS)
@pytest.mark.parametrize("number", [0, 2])
def test_a_resumed_run_gives_the_same_bytes(format, dtype, number, embed, tmp_path):
    whole, output = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(whole, dtype=dtype)
    with interrupted_at(number):
        embed(output, dtype=dtype)
    with pytest.raises(ValueError, match="should be complete"):
        bulk.open(output)
    with pytest.raises(FileExistsError, match="--resume.*--overwrite"):
        embed(output)
    said = []
    assert embed(output, dtype=dtype, resume=True, report=said.append)
    assert f"4 shards, {4 - number} of them to compute" in said[0]
    assert all_of(output) == all_of(whole)
    assert {path.name for path in output.parent.iterdir()} == {
        path.name for path in whole.parent.iterdir()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_what_killed_runs_left_is_swept_away(format, embed, tmp_path):
    whole, output = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(whole)
    # A run that was killed when it wrote its plan, its first shard, and its manifest.
    folder = output if format != "hdf5" else output.with_name("v.hdf5.parts")
    for name in ("._plan.json-abcdefgh", ".part-000000-abcdefgh/new"):
        (folder / name).mkdir(parents=True)
    (output.parent / ".v.hdf5-abcdefgh").mkdir()
    assert embed(output, resume=True)
    assert all_of(output) == all_of(whole)
    left = {path.name for path in output.parent.rglob("*") if path.name[0] == "."}
    assert left == (set() if format == "hdf5" else {".v.hdf5-abcdefgh"})


def test_the_disk_is_swept_before_its_room_is_told(embed, tmp_path):
    with interrupted_at(2):
        embed(tmp_path / "v")
    scratch = tmp_path / "v" / ".part-000002-abcdefgh"
    scratch.mkdir()
    embed(tmp_path / "v", shard="1/4")
    assert scratch.exists()  # another process may be at work there
    there = []
    embed(
        tmp_path / "v", resume=True, report=lambda line: there.append(scratch.exists())
    )
    assert there and not any(there)


@pytest.mark.parametrize(("format", "dtype"), KINDS)
@pytest.mark.parametrize("order", ["123", "210", "313"])
def test_the_union_of_shares_is_the_same_bytes(format, dtype, order, embed, tmp_path):
    whole, output = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(whole, dtype=dtype)
    done = [embed(output, dtype=dtype, shard=f"{index}/3") for index in order]
    assert done == ([False, False, True] if order != "313" else [False] * 3)
    if order == "313":
        assert embed(output, dtype=dtype, shard="2/3")
    assert all_of(output) == all_of(whole)
    assert embed(output, dtype=dtype, shard="1/3")  # one that comes late
    assert all_of(output) == all_of(whole)


@pytest.mark.parametrize(("format", "dtype"), KINDS[1:])
def test_damage_is_mended(format, dtype, embed, tmp_path):
    output = tmp_path / OUTPUTS[format]
    embed(output, dtype=dtype)
    before = all_of(output)
    shards = sorted(output.glob("part-*"))
    damaged = FORMATS[format].files(shards[1])[0]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    shutil.rmtree(shards[2]) if shards[2].is_dir() else shards[2].unlink()
    shutil.rmtree(shards[3]) if shards[3].is_dir() else shards[3].unlink()
    shards[3].write_text("") if format == "npy" else shards[3].mkdir()
    said = []
    with interrupted_at(2):
        embed(output, dtype=dtype, resume=True, report=said.append)
    assert "3 of them to compute" in said[0]
    told = {line for line in said if line.startswith("damaged, computed anew: ")}
    kept = shards[1], shards[3]  # nothing was left of the other
    assert told == {f"damaged, computed anew: {path}" for path in kept}
    said.clear()
    assert embed(output, dtype=dtype, resume=True, report=said.append)
    assert "2 of them to compute" in said[0]
    assert all_of(output) == before


def test_damage_of_the_one_file_is_mended(embed, tmp_path):
    output = tmp_path / "v.hdf5"
    embed(output)
    before = all_of(output)
    changed = output.stat().st_mtime_ns
    assert embed(output, resume=True)
    assert output.stat().st_mtime_ns == changed  # it was left alone
    output.write_bytes(output.read_bytes()[:-1])
    said = []
    assert embed(output, resume=True, report=said.append)
    assert said[-1] == f"damaged, computed anew: {output}"
    assert all_of(output) == before


def test_damaged_records_are_not_trusted(embed, tmp_path):
    whole, output = tmp_path / "whole", tmp_path / "v"
    embed(whole)
    with interrupted_at(3):
        embed(output)
    done = output / "_done"
    (done / "000000.json").write_text('{"vectors.npy": 3}')
    (done / "000001.json").write_text("{")
    content = (done / "000002.json").read_text()
    (done / "000002.json").write_text(content.replace('"sha256": "', '"sha256": "0'))
    said = []
    embed(output, resume=True, report=said.append)
    assert "4 of them to compute" in said[0]
    assert list(all_of(output).values()) == list(all_of(whole).values())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"layers": "top"}, "layers 'all', now 'top'"),
        ({"dtype": "float16"}, "dtype 'float32', now 'float16'"),
        ({"max_tokens": 7}, "max_tokens None, now 7"),
        ({"lines_per_shard": 4}, "lines_per_shard 3, now 4"),
        ({"format": "parquet"}, "format 'npy', now 'parquet'"),
    ],
)
@pytest.mark.parametrize("is_complete", [True, False])
def test_resumed_with_other_options(changed, told, is_complete, embed, tmp_path):
    output = tmp_path / "v"
    with contextlib.nullcontext() if is_complete else interrupted_at(2):
        embed(output)
    before = all_of(output)
    with refused(told, output):
        embed(output, resume=True, **changed)
    assert all_of(output) == before


def test_resumed_with_other_weights_or_tokenizer(elmo, embed, tmp_path):
    embed(tmp_path / "v")
    other = ElmoEmbedding(elmo.bilm, tokenizer="whitespace")
    other.set_weights(elmo.get_weights())
    with refused("tokenizer 'space', now 'whitespace'"):
        embed(tmp_path / "v", elmo=other, resume=True)
    other = ElmoEmbedding(elmo.bilm)
    assert embed(tmp_path / "v", elmo=other, resume=True)
    other.mix.set_weights([np.float32([0, 0, 0.1]), np.float32(1)])
    with refused("weights '"):
        embed(tmp_path / "v", elmo=other, resume=True)
    with refused("weights '"):
        embed(tmp_path / "v", elmo=ElmoEmbedding(small_bilm()), resume=True)


def test_resumed_with_other_text(embed, text, tmp_path):
    embed(tmp_path / "v")
    before = text.read_text()
    text.write_text(before.replace("mat", "rug"))
    with refused("text 1 (text.txt) '"):
        embed(tmp_path / "v", resume=True)
    text.write_text(before)
    (tmp_path / "more").write_text("more")
    with refused("text 2 (more) None, now '"):
        embed(tmp_path / "v", [text, tmp_path / "more"], resume=True)
    assert embed(tmp_path / "v", resume=True)


def test_the_same_wherever_text_and_output_are(embed, text, tmp_path):
    embed(tmp_path / "v")
    (tmp_path / "elsewhere").mkdir()
    copy = shutil.copy(text, tmp_path / "elsewhere" / text.name)
    embed(tmp_path / "elsewhere" / "v", copy)
    assert all_of(tmp_path / "v") == all_of(tmp_path / "elsewhere" / "v")
    manifest = (tmp_path / "v" / "_manifest.json").read_text()
    assert str(tmp_path) not in manifest and os.uname().nodename not in manifest


def test_stdin_and_compressed_files_give_the_same_vectors(
    embed, text, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    stdin = SimpleNamespace(buffer=io.BytesIO(text.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    with gzip.open("text.txt.gz", "wb") as file:
        file.write(text.read_bytes())
    embed("one", "text.txt")
    embed("two", "-")
    embed("three", "*.gz")
    one, two, three = (
        [content for name, content in all_of(tmp_path / name).items() if "part" in name]
        for name in ("one", "two", "three")
    )
    assert one == two == three and len(one) == 12


def test_overwrite(embed, tmp_path):
    output = tmp_path / "v"
    embed(output)
    before = all_of(output)
    embed(output, layers="top", lines_per_shard=1, overwrite=True)
    assert len(list(output.glob("part-*"))) == 10
    (output / "mine.txt").write_text("not of this command")
    embed(output, overwrite=True)
    (output / "mine.txt").unlink()
    assert all_of(output) == before


@pytest.mark.parametrize("format", FORMATS)
def test_overwrite_of_an_interrupted_run(format, embed, tmp_path):
    whole, output = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(whole)
    with interrupted_at(2):
        embed(output)
    assert embed(output, overwrite=True)
    assert all_of(output) == all_of(whole)


@contextlib.contextmanager
def interrupted_at_deletion(number):
    """Interrupts before the deletion of that number, if there are so many."""
    left = itertools.count(number, -1)

    def until_then(delete):
        def delete_or_interrupt(*args, **options):
            if next(left) == 0:
                raise Interrupted
            delete(*args, **options)

        return delete_or_interrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", until_then(Path.unlink))
        remove_tree = until_then(output_module.remove_tree)
        patch.setattr(output_module, "remove_tree", remove_tree)
        yield


@pytest.mark.parametrize("format", FORMATS)
def test_overwrite_goes_on_wherever_it_was_interrupted(format, embed, tmp_path):
    output = tmp_path / OUTPUTS[format]
    embed(output)
    before = all_of(output)
    for number in range(100):
        try:
            with interrupted_at_deletion(number):
                embed(output, overwrite=True)
            break
        except Interrupted:
            embed(output, overwrite=True)
            assert all_of(output) == before
    assert 2 < number < 99  # there were deletions, and each was interrupted


def test_overwrite_of_a_file_leaves_it_until_the_end(embed, tmp_path):
    output = tmp_path / "v.hdf5"
    output.write_text("something else")
    with pytest.raises(FileExistsError, match="no output of this command.*--overwrite"):
        embed(output)
    with pytest.raises(FileExistsError, match="no output of this command"):
        embed(output, resume=True)
    with interrupted_at(2):
        embed(output, overwrite=True)
    assert output.read_text() == "something else"
    assert embed(output, resume=True)
    assert bulk.check(output) == []


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
@pytest.mark.parametrize("kind", ["folder", "file", "folder for hdf5"])
def test_what_is_no_output_is_left_alone(options, kind, embed, tmp_path):
    output = tmp_path / ("v.hdf5" if "hdf5" in kind else "v")
    if "folder" in kind:
        output.mkdir()
    mine = output if kind == "file" else output / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match="no output of this command"):
        embed(output, **options)
    assert bytes_of(mine) == {mine.name: b"mine"}


def test_nothing_is_left_beside_the_output(embed, tmp_path):
    embed(tmp_path / "out" / "v.hdf5")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"v.hdf5", "v.hdf5.manifest.json"}
    embed(tmp_path / "out" / "v")
    names |= {"v"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    parts = {f"part-00000{number}" for number in range(4)}
    assert {path.name for path in (tmp_path / "out" / "v").iterdir()} == {
        "_manifest.json",
        *parts,
    }


@pytest.mark.parametrize("format", FORMATS)
def test_another_process_at_work_is_not_disturbed(format, embed, tmp_path):
    output = tmp_path / OUTPUTS[format]
    with interrupted_at(1):
        embed(output, format=format)
    before = all_of(output)
    with (
        lock_beside(output),
        pytest.raises(BlockingIOError, match="`output` should be a path that no other"),
    ):
        embed(output, format=format, resume=True)
    assert all_of(output) == before
    assert embed(output, format=format, resume=True)


def test_an_empty_folder_is_new(embed, tmp_path):
    (tmp_path / "v").mkdir()
    assert embed(tmp_path / "v")


def test_the_text_is_not_overwritten(embed, tmp_path):
    folder = tmp_path / "v"
    embed(folder)
    (folder / "text").write_text("text")
    with refused("should not hold the text"):
        embed(folder, [folder / "text"], overwrite=True)
    with refused("should not hold the text"):
        (tmp_path / "text.hdf5").write_text("text")
        embed(tmp_path / "text.hdf5", [tmp_path / "text.hdf5"], overwrite=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layers": "last"}, "`layers` should be one of: 'all'"),
        ({"format": "csv"}, "`format` should be one of: 'hdf5'"),
        ({"dtype": "bfloat16"}, "`dtype` should be one of: 'float32', 'float16'"),
        ({"dtype": "int16", "format": "parquet"}, "with the format 'parquet'. Rec"),
        ({"dtype": "int16", "format": "hdf5"}, "with the format 'hdf5'. Rec"),
        ({"max_tokens": 0}, "`max_tokens`"),
        ({"lines_per_shard": 1.5}, "`lines_per_shard`"),
        ({"shard": "3/2"}, "`shard`"),
        ({"overwrite": True, "resume": True}, "`overwrite`"),
        ({"overwrite": True, "shard": "1/2"}, "`overwrite`"),
    ],
)
def test_arguments_that_make_no_sense(options, told, embed, tmp_path):
    with refused(told):
        embed(tmp_path / "v", **options)
    assert not (tmp_path / "v").exists()


def test_text_without_lines(embed, tmp_path):
    (tmp_path / "empty").write_text("")
    for name in OUTPUTS.values():
        assert embed(tmp_path / name, [tmp_path / "empty"])
        with bulk.open(tmp_path / name) as embeddings:
            assert len(embeddings) == 0 and list(embeddings) == []
        assert bulk.check(tmp_path / name) == []


@pytest.mark.parametrize("format", FORMATS)
def test_lines_without_tokens(format, embed, tmp_path):
    (tmp_path / "spaces").write_text("\n  \n\n \n")
    output = tmp_path / OUTPUTS[format]
    assert embed(output, [tmp_path / "spaces"])
    with bulk.open(output) as embeddings:
        assert [array.shape for array in embeddings] == [(3, 0, 8)] * 4


@pytest.mark.parametrize("format", FORMATS)
def test_any_bytes_are_embedded_as_they_are(format, elmo, embed, tmp_path):
    line = b"\xff\xfe a\x00b \xc3 \xed\xa0\x80"
    (tmp_path / "bytes").write_bytes(line + b"\n")
    output = tmp_path / OUTPUTS[format]
    embed(output, [tmp_path / "bytes"], layers="top")
    with bulk.open(output) as embeddings:
        wanted = elmo([line.split(b" ")])["lstm_outputs2"][0]
        assert_close(embeddings[0], wanted, atol=1e-5)
        if format != "hdf5":
            tokens = ["\\xff\\xfe", "a\0b", "\\xc3", "\\xed\\xa0\\x80"]
            assert embeddings.tokens(0) == tokens


def test_float16_is_rounded_and_never_infinite(elmo, embed, tmp_path):
    embed(tmp_path / "full", layers="elmo")
    embed(tmp_path / "half", layers="elmo", dtype="float16")
    with bulk.open(tmp_path / "full") as full, bulk.open(tmp_path / "half") as half:
        assert half.dtype == half[0].dtype == "float16"
        for one, other in zip(full, half, strict=True):
            np.testing.assert_array_equal(one.astype("float16"), other)
    large = ElmoEmbedding(elmo.bilm)
    large.mix.set_weights([np.zeros(3), np.float32(1e8)])
    with pytest.raises(FloatingPointError, match="Use float32"):
        embed(tmp_path / "large", elmo=large, layers="elmo", dtype="float16")
    assert not list((tmp_path / "large").glob("part-*"))


@pytest.mark.parametrize("layers", ["all", "elmo", "default"])
def test_int16_is_read_as_float32(layers, elmo, embed, tmp_path):
    for dtype in ("float32", "int16"):
        embed(tmp_path / dtype, layers=layers, dtype=dtype)
    with (
        bulk.open(tmp_path / "float32") as full,
        bulk.open(tmp_path / "int16") as scaled,
    ):
        assert scaled.dtype == scaled[0].dtype == "float32"
        assert scaled.shape == full.shape and len(scaled) == len(full)
        for one, other in zip(full, scaled, strict=True):
            assert one.shape == other.shape
            largest = np.abs(one).max(axis=-1, initial=0, keepdims=True)
            assert (np.abs(one - other) <= largest / 65000).all()
        assert np.abs(full[0] - scaled[0]).max() > 0
        read = scaled[0] if layers == "default" else np.concatenate(scaled[:3], axis=-2)
    # As the page about whole corpora tells others to read it.
    v = np.load(next(tmp_path.glob("int16/part-000000/vectors.npy")))
    plain = v["numbers"] * v["scale"][..., None]
    assert plain.dtype == "float32"
    if layers == "all":
        plain = np.moveaxis(plain, 1, 0)
    np.testing.assert_array_equal(plain[0] if layers == "default" else plain, read)
    assert bulk.check(tmp_path / "int16") == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(dtype, number, elmo, embed, tmp_path):
    broken = ElmoEmbedding(elmo.bilm)
    broken.mix.set_weights([np.zeros(3), np.float32(number)])
    with pytest.raises(FloatingPointError, match="finite.*keras-elmo verify"):
        embed(tmp_path / "v", elmo=broken, layers="elmo", dtype=dtype)
    assert not list((tmp_path / "v").glob("part-*"))


class Stream:
    """An embedding whose long sentences come as memory maps of a file."""

    def __init__(self, elmo, folder):
        self.elmo = elmo
        self.folder = folder
        self.count = 0

    def __getattr__(self, name):
        return getattr(self.elmo, name)

    def encode_stream(self, *args, **kwargs):
        for outputs in self.elmo.encode_stream(*args, **kwargs):
            is_dict = isinstance(outputs, dict)
            yield (
                {k: self.mapped(v) for k, v in outputs.items()} if is_dict else outputs
            )

    def mapped(self, array):
        if array.size == 0:
            return array
        self.count += 1
        path = self.folder / f"{self.count}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode="r")


@pytest.mark.parametrize(("format", "dtype"), KINDS)
def test_memory_maps_are_written_piece_by_piece(
    format, dtype, elmo, embed, tmp_path, monkeypatch
):
    one, two = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(one, dtype=dtype)
    monkeypatch.setattr("keras_elmo.bulk.layers._TOKENS_PER_BLOCK", 2)
    embed(two, dtype=dtype, elmo=Stream(elmo, tmp_path))
    assert all_of(one) == all_of(two)


@pytest.mark.parametrize(
    ("dtype", "row"), [("float32", 8 * 4), ("float16", 8 * 2), ("int16", 8 * 2 + 4)]
)
def test_the_forecast_is_exact_in_bytes(dtype, row, embed, tmp_path):
    said = []
    embed(tmp_path / "v", dtype=dtype, report=said.append)
    size = sum(np.load(path).nbytes for path in tmp_path.glob("v/*/vectors.npy"))
    assert "text: 10 sentences, 32 tokens, 4 shards, 4 of them to compute" in said[0]
    assert f"32 tokens; {size:,} bytes of vectors" in said[1]
    assert size == 32 * 3 * row
    assert "free in" in said[2] and "time: about" in said[3]


def test_the_disk_should_have_room(embed, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="5.0 kB are free.*--ignore-free-space") as error:
        embed(tmp_path / "v")
    assert error.value.errno == errno.ENOSPC
    assert not (tmp_path / "v").exists()
    assert embed(tmp_path / "v", ignore_free_space=True)


@pytest.mark.parametrize(
    ("format", "size"),
    [
        ("npy", 1000),
        ("parquet", 2000),
        ("parquet", 300),
        ("hdf5", 3000),
        ("hdf5", 6000),
    ],
)
def test_a_full_disk(format, size, embed, tmp_path):
    """Wherever the disk is full, there is no half a shard, and the run goes on."""
    whole, output = (tmp_path / folder / OUTPUTS[format] for folder in "ab")
    embed(whole)
    with largest_file(size), pytest.raises(OSError, match="File too large"):
        embed(output)
    assert not output.is_file()
    assert embed(output, resume=True)
    assert all_of(output) == all_of(whole)


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("format", FORMATS)
def test_a_small_disk(format, embed, tmp_path):
    (tmp_path / "long").write_text("a cat sat on a mat\n" * 300)
    inputs = [tmp_path / "long"]
    with small_disk(tmp_path / "disk", 200 * 1024):
        output = tmp_path / "disk" / OUTPUTS[format]
        options = {"lines_per_shard": 100, "layers": "top", "ignore_free_space": True}
        filler = tmp_path / "disk" / "filler"
        filler.write_bytes(bytes(120 * 1024))
        with pytest.raises(OSError, match="No space left.*--resume"):
            embed(output, inputs, **options)
        assert not output.is_file()
        if format != "hdf5":  # which needs room for the shards and the file
            filler.unlink()
            assert embed(output, inputs, resume=True, **options)
            assert bulk.check(output) == []


@contextlib.contextmanager
def no_permission(folder):
    """Takes the right to write to a folder, also from root."""
    folder.mkdir()
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_no_permission(embed, tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with no_permission(tmp_path / "others"):
        for name in ("v", "new/v", "v.hdf5"):
            said = []
            with pytest.raises(PermissionError, match="others"):
                embed(tmp_path / "others" / name, report=said.append)
            assert said == []  # it was known before anything was embedded


def test_a_path_through_a_file(embed, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        embed(tmp_path / "file" / "v")


def test_pyarrow_is_asked_for(embed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "keras-elmo\[bulk\]"'):
        embed(tmp_path / "v.parquet")
    assert not (tmp_path / "v.parquet").exists()
    assert embed(tmp_path / "v")


def test_many_sentences_get_a_warning_for_hdf5(embed, tmp_path, monkeypatch):
    module = importlib.import_module("keras_elmo.bulk.embed_corpus")
    monkeypatch.setattr(module, "_MANY_DATASETS", 9)
    said = []
    embed(tmp_path / "v.hdf5", report=said.append)
    embed(tmp_path / "v", report=said.append)
    warnings = [line for line in said if "warning" in line]
    assert len(warnings) == 1 and "--format parquet" in warnings[0]


@pytest.mark.parametrize("change", ["grows", "vanishes"])
def test_text_that_changes_while_it_is_embedded(change, embed, text, tmp_path):
    embed_shard = run_module.Run.embed

    def embed_then_change(self, number, embedded):
        embed_shard(self, number, embedded)
        if number == 1 and change == "grows":
            text.write_text(text.read_text() + "more\n")
        elif number == 1:
            text.unlink()

    kind = {"grows": ValueError, "vanishes": FileNotFoundError}[change]
    before = text.read_text()
    embed(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module.Run, "embed", embed_then_change)
        with pytest.raises(kind, match="text.txt"):
            embed(tmp_path / "v")
    assert len(list((tmp_path / "v").glob("part-*"))) == 2
    text.write_text(before)
    assert embed(tmp_path / "v", resume=True)
    assert list(all_of(tmp_path / "v").values()) == list(
        all_of(tmp_path / "whole").values()
    )


def test_a_line_of_ten_megabytes(embed, tmp_path):
    (tmp_path / "long").write_bytes(b"words" * 2**21 + b" end\n")
    assert embed(tmp_path / "v", [tmp_path / "long"], layers="top")
    with bulk.open(tmp_path / "v") as embeddings:
        assert embeddings[0].shape == (2, 8)
        assert list(map(len, embeddings.tokens(0))) == [10 * 2**20, 3]
