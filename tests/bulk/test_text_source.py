import bz2
import gzip
import io
import lzma
import os
import sys
import threading
from types import SimpleNamespace

import pytest
from refusal import refused

from keras_elmo.bulk import text_file, text_source
from keras_elmo.bulk.plan import make_plan, read_lines
from keras_elmo.bulk.text_source import TextSource

OPENERS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def lines_of(inputs, **kwargs):
    with TextSource(inputs) as source:
        return [line for part in source.parts(**kwargs) for line in part.lines]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"a\r\nb \r\r\n", [b"a", b"b \r"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"]),
        (b"\xff\xfe\x00 \x0b\x0c\xc2\x85\n", [b"\xff\xfe\x00 \x0b\x0c\xc2\x85"]),
    ],
)
def test_lines(content, lines, tmp_path):
    (tmp_path / "a").write_bytes(content)
    assert lines_of([tmp_path / "a"]) == lines


def test_files_come_in_order_and_end_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("c", "b", "a"):
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "d.txt").mkdir()
    (tmp_path / "*.md").write_text("a name with a star")
    assert lines_of("*.txt") == [b"a", b"b", b"c"]
    assert lines_of(["c.txt", "[ab].txt", "c.txt"]) == [b"c", b"a", b"b", b"c"]
    assert lines_of(["*.md"]) == [b"a name with a star"]


@pytest.mark.parametrize("suffix", OPENERS)
def test_compressed_files_are_read_as_others(suffix, tmp_path):
    content = b"".join(b"line %d\n" % number for number in range(1000))
    (tmp_path / "plain").write_bytes(content)
    with OPENERS[suffix](tmp_path / f"text{suffix}", "wb") as file:
        file.write(content)
    facts = []
    for name in ("plain", f"text{suffix}"):
        with TextSource([tmp_path / name]) as source:
            parts = list(source.parts(lines_per_part=7))
            for part in [*parts[50:60], parts[3]]:  # forward, and back
                read = source.read(part.file, part.offset, len(part.lines))
                assert read == part.lines
            facts.append({**source.facts[0], "name": ""})
    assert facts[0] == facts[1]
    assert facts[0]["lines"] == 1000 and facts[0]["bytes"] == len(content)


@pytest.mark.parametrize("suffix", OPENERS)
@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other"])
def test_damaged_archives_are_named(suffix, damage, tmp_path):
    path = tmp_path / f"text{suffix}"
    with OPENERS[suffix](path, "wb") as file:
        file.write(os.urandom(100_000))
    content = bytearray(path.read_bytes())
    content[50_000] ^= 255
    damaged = {
        "cut": content[:60_000],
        "changed": content,
        "empty": content[:4],
        "other": b"no such archive",
    }
    path.write_bytes(damaged[damage])
    with refused(path, f"a complete {suffix} file"):
        lines_of([path])


def test_parts_are_of_bounded_size_and_span_files(tmp_path, monkeypatch):
    monkeypatch.setattr(text_source, "_BYTES_PER_PART", 10)
    (tmp_path / "a").write_text("1234\n5678\n9\n")
    (tmp_path / "b").write_text("next\na very long line\nend")
    with TextSource([tmp_path / "a", tmp_path / "b"]) as source:
        parts = list(source.parts())
        assert [part.lines for part in parts] == [
            [b"1234", b"5678"],
            [b"9", b"next", b"a very long line"],
            [b"end"],
        ]
        assert [part[:2] for part in parts] == [(0, 0), (0, 10), (1, 22)]
        for part in reversed(parts):
            assert source.read(*part[:2], len(part.lines)) == part.lines
        assert source.names(0, 3) == "a" and source.names(0, 4) == "a, b"


def test_standard_input_is_read_twice(monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"from\nstdin"))
    monkeypatch.setattr(sys, "stdin", stdin)
    with TextSource(["-"]) as source:
        (part,) = source.parts()
        assert part.lines == source.read(0, 0, 9) == [b"from", b"stdin"]
        (kept,) = source.paths
        assert source.facts[0]["name"] == "standard input"
    assert not kept.exists()


def test_pipes_are_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("a\nb",))
    writer.start()
    with TextSource([tmp_path / "pipe"]) as source:
        assert [part.lines for part in source.parts(1)] == [[b"a"], [b"b"]]
        assert source.read(0, 0, 2) == [b"a", b"b"]
    writer.join()


@pytest.mark.parametrize("inputs", [[], ["-", "-"]])
def test_inputs_that_make_no_sense(inputs):
    with refused("`inputs`"):
        TextSource(inputs)


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no.txt'.*matches none"):
        TextSource([tmp_path / "no.txt"])
    with pytest.raises(IsADirectoryError, match="is a folder. Give .*/*'"):
        TextSource([tmp_path])


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 5)
    (tmp_path / "a").write_bytes(b"1234\n12345\n1234")
    with refused(tmp_path / "a", "at byte 5", "at most 5 bytes"):
        lines_of([tmp_path / "a"])


@pytest.fixture
def planned(tmp_path):
    """Two files of two lines, and the plan of one shard a line."""
    for name in ("a", "b"):
        (tmp_path / name).write_text("one\ntwo\n")
    with TextSource([tmp_path / "a", tmp_path / "b"]) as source:
        yield source, make_plan(source, "space", 1)


def test_a_file_that_grows(planned, tmp_path):
    with (tmp_path / "b").open("a") as file:
        file.write("three\n")
    assert read_lines(*planned, 1) == [b"two"]
    with refused("'b', which had 8 bytes at first and has 14 now"):
        read_lines(*planned, 2)


def test_a_file_that_vanishes(planned, tmp_path):
    (tmp_path / "b").unlink()
    with pytest.raises(FileNotFoundError, match="'.*/b'"):
        read_lines(*planned, 2)


def test_a_file_that_changes(planned, tmp_path):
    (tmp_path / "b").write_text("one\nTWO\n")
    assert read_lines(*planned, 2) == [b"one"]
    with refused("other lines than at first in b."):
        read_lines(*planned, 3)


def test_a_file_that_is_written_to_while_it_is_planned(tmp_path):
    (tmp_path / "a").write_text("one\ntwo\n")
    with TextSource([tmp_path / "a"]) as source, refused("'a', which"):
        for _ in source.parts(1):
            with (tmp_path / "a").open("a") as file:
                file.write("more\n")


def test_lines_that_are_exchanged_meanwhile(tmp_path):
    """The size stays the same, the time of change does not."""
    path = tmp_path / "a"
    path.write_text("one\ntwo\n")
    with refused("'a', which was written to"), TextSource([path]) as source:
        parts = source.parts(lines_per_part=1)
        next(parts)
        path.write_text("two\none\n")
        os.utime(path, ns=(0, 0))
        list(parts)
