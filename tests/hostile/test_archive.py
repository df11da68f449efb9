"""Archives that are made to do harm."""

import bz2
import functools
import gzip
import io
import itertools
import lzma
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from golden import FIXTURES, Golden
from hypothesis import given
from hypothesis import strategies as st
from refusal import BYTE, PROPERTY, mutated, refused, takes_little

from keras_elmo import BiLM
from keras_elmo.files import archive
from keras_elmo.weights.open_weights import open_weights

NEXT_STEP = "Fetch it again, or unpack it with another program"
GOLDEN = Golden("skip")
OPTIONS = GOLDEN.options.read_bytes()
WEIGHTS = GOLDEN.weights.read_bytes()


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where archives are unpacked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "parent" / "target"


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def member(name, content=b"content", **attributes):
    """A member of a tar archive: its header and its content."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for info, content in members:
            file.addfile(info, io.BytesIO(content))
    return path


def raw_tar(path, *parts):
    """Writes headers and contents as they are, also those that `tarfile` refuses."""
    content = b"".join(
        part.ljust(-len(part) % 512 + len(part), b"\0") for part in parts
    )
    path.write_bytes(gzip.compress(content + bytes(1024)))
    return path


def head(name, size, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def pack(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in files:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            info.compress_type = file.compression
            file.writestr(info, content)
    return path


def patch(path, *changes):
    """Changes the bytes of a zip that are at a place after a signature."""
    content = path.read_bytes()
    for signature, place, new in changes:
        start = content.index(signature) + place
        content = mutated(content, enumerate(new, start))
    path.write_bytes(content)


def write(path, *names):
    """An archive of these files and, where a name ends with a slash, folders."""
    if path.suffix == ".zip":
        return pack(path, [(name, b"" if name[-1:] == "/" else b"1") for name in names])
    kinds = tarfile.REGTYPE, tarfile.DIRTYPE
    return tar(path, *[member(n, b"", type=kinds[n.endswith("/")]) for n in names])


def write_link_to_zip(path, kind):
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    pack(path, [("good", b"1"), (info, b"/etc/passwd")])


def write_sparse(path):
    """A sparse file as newer programs write it, with the header of a usual file."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    headers |= {"GNU.sparse.name": "holes", "GNU.sparse.realsize": "4096"}
    tar(path, member("sparse", b"0\n".ljust(512, b"\0"), pax_headers=headers))


def write_terabyte_to_zip(path, size):
    info = zipfile.ZipInfo("huge")
    info.extra = struct.pack("<HHQQ", 1, 16, size, 20)
    pack(path, [(info, b"1" * 20)])
    patch(path, (b"PK\x01\x02", 20, b"\xff" * 8))


def write_terabyte_in_many_files(path):
    """Nine files that are said to have 4 GB each."""
    pack(path, [(f"{number}", b"1") for number in range(9)])
    start, size = b"PK\x01\x02", struct.pack("<I", 2**32 - 2)
    first, *entries = path.read_bytes().split(start)
    entries = [entry[:20] + size + entry[24:] for entry in entries]
    path.write_bytes(start.join([first, *entries]))


def write_endless_header(path, kind, size):
    """A name, say, of a terabyte, which `tarfile` would read into memory."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head("huge", size, kind))
        for _ in range(256 if size == 2**28 and kind == b"L" else 0):
            file.write(bytes(2**20))


def write_further_header(path, line):
    record = f" {line}\n"
    record = f"{len(record) + 2}{record}".encode()
    info, content = member("odd")
    raw_tar(path, head("x", len(record), b"x"), record, info.tobuf(), content)


def write_compressed_zip(path, method):
    """Some methods are known to `zipfile`, which takes any memory for them."""
    number = struct.pack("<H", method)
    changes = (b"PK\x01\x02", 10, number), (b"PK\x03\x04", 8, number)
    patch(pack(path, [("a", b"content")]), *changes)


def write_changed_tar(path, mode, change):
    tar(path, member("a"), member("b"), mode=mode)
    path.write_bytes(change(path.read_bytes()))


OUTSIDE = ["../evil", "a/../../evil", "..", "/evil", "//evil", "..\\evil", "a\\b"]
OUTSIDE += ["C:evil", "C:\\evil", "C:/evil", "\\\\server\\share", "a:stream"]
OUTSIDE += ["x" * 300, "/".join("x" * 200), "../evil/", "/evil/", "C:/", "a/../../b/"]
TWICE = ["a a", "a ./a", "a/b a//b", "a/b a/./b", "a a/b", "a/b a", "a/b/c a"]
TWICE += ["a a/b/c", "a/ a", "a a/", "a a/b/", "."]
LINKS = [tarfile.SYMTYPE, tarfile.LNKTYPE]
DEVICES = [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]
ENDS = ["zip", "tar.gz", "tar.bz2", "tgz", "tar"]
OTHER_CONTENTS = [b"", b"garbage" * 1000, b"PK\x03\x04" + bytes(1000)]
OTHER_CONTENTS += [b"PK\x05\x06" + b"\xff" * 18, b"\x1f\x8b" + bytes(1000)]
OTHER_CONTENTS += [gzip.compress(b""), gzip.compress(b"garbage" * 1000)]
OTHER_CONTENTS += [bz2.compress(b"garbage" * 1000), lzma.compress(bytes(10240))]
OTHER_CONTENTS += [b"\x89HDF\r\n\x1a\n" * 200]


def flipped(content, place):
    return mutated(content, [(place, content[place] ^ 1)])


def attacks():
    """The end of a file's name, what the error says, and how to write the file."""
    for end in ("zip", "tar.gz"):
        for name in OUTSIDE:
            yield end, "is not below its folder", write, "good", name
        for names in TWICE:
            yield end, "is there twice, or is in a file", write, *names.split()
        yield end, "'.' is there twice", write, ""
        for slash in ("", "/"):
            names = [f"{number}{slash}" for number in range(10_001)]
            yield end, "more than 10,000 files", write, *names
    for kind, place in itertools.product([*LINKS, *DEVICES], ["/etc", "..", "good"]):
        odd = member("odd", b"", type=kind, linkname=place)
        members = member("good"), odd, member("odd/passwd")
        yield "tar.gz", "'odd' is a link, a device or sparse", tar, *members
    for kind in (b"9", b"\xff"):
        yield "tar.gz", "odd", tar, member("good"), member("odd", b"", type=kind)
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        yield "zip", "'link' is a link or a device", write_link_to_zip, kind
    yield "tar.gz", "'holes' is a link, a device or sparse", write_sparse
    for size in (2**40, 2**34 + 1, 2**62):
        said = f"more than 17,179,869,184 bytes: 'huge' alone has {size:,}"
        yield "tar.gz", said, raw_tar, head("huge", size)
    for size in (2**40, 2**63):
        yield "zip", "more than 17,179,869,184 bytes", write_terabyte_to_zip, size
    yield "zip", "more than 17,179,869,184 bytes", write_terabyte_in_many_files
    for size, kind in itertools.product([2**40, 2**28], b"LKxgX52"):
        yield "tar.gz", f"{size:,} bytes", write_endless_header, bytes([kind]), size
    for size, kind in itertools.product([-1, -512, -(2**30)], b"0Lx5"):
        header = head("negative", size, bytes([kind]))
        yield "tar.gz", f"{size:,} bytes", raw_tar, header
    for size in (-512, 2**40, 2**70):
        said = f"'odd' alone has {size:,}"
        yield "tar.gz", said, write_further_header, f"size={size}"
    yield "tar.gz", "", raw_tar, *[head("x", 1, b"L"), b"a"] * 3000, head("x", 0)
    for method in (1, 9, 12, 14, 93, 95, 99, 65535):
        yield "zip", "'a' is compressed in a rare way", write_compressed_zip, method
    for end in ("tar", "tgz"):
        yield end, "", write_changed_tar, "w", lzma.compress
    yield "tar", "cut short", write_changed_tar, "w", lambda tar: tar[:1024]
    for place in (-8, -4):  # the checksum and the size
        change = functools.partial(flipped, place=place)
        yield "tar.gz", "", write_changed_tar, "w:gz", change
    for end, content in itertools.product(ENDS, OTHER_CONTENTS):
        yield end, "", Path.write_bytes, content


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "attack", list(attacks()), ids=lambda attack: f"{attack[0]} {attack[1]}"
)
def test_attack_is_refused_before_anything_is_written(tmp_path, monkeypatch, attack):
    end, said, write, *arguments = attack
    path = tmp_path / f"evil.{end}"
    write(path, *arguments)
    monkeypatch.setattr(archive, "replacing", lambda path: pytest.fail("written"))
    with takes_little(2**26), refused(path, said, NEXT_STEP):
        archive.unpack(path, tmp_path / "target")


def write_patched_zip(path, content, *changes):
    files = [("a", content)]
    patch(pack(path, files, compression=zipfile.ZIP_DEFLATED), *changes)


# A zip is read as far as it says, and then its checksum is wrong.
SHORT = struct.pack("<I", 100)
LESS = bytes(2**26), (b"PK\x01\x02", 24, SHORT), (b"PK\x03\x04", 22, SHORT)
WRONG = b"content", (b"PK\x01\x02", 16, b"evil"), (b"PK\x03\x04", 14, b"evil")
ENCRYPTED = b"content", (b"PK\x01\x02", 8, b"\x01"), (b"PK\x03\x04", 6, b"\x01")


@pytest.mark.parametrize(
    ("end", "said", "write", "arguments"),
    [
        ("zip", "CRC", write_patched_zip, LESS),
        ("zip", "CRC", write_patched_zip, WRONG),
        ("zip", "password", write_patched_zip, ENCRYPTED),
        ("tar.gz", "", write_further_header, [f"mtime={2**70}"]),
        ("tar.gz", "'../b' is not below", write, ["a", "../b"]),
    ],
    ids=["says less", "wrong checksum", "encrypted", "far time", "outside"],
)
def test_nothing_is_left_of_what_is_refused(
    tmp_path, target, end, said, write, arguments
):
    path = tmp_path / f"evil.{end}"
    write(path, *arguments)
    before = tree(tmp_path)
    with refused(path, said, NEXT_STEP):
        open_weights(path)
    assert tree(tmp_path) == before
    with refused(path, said, NEXT_STEP):
        archive.unpack(path, target)
    assert tree(target.parent) == []


def test_rights_are_those_of_data(tmp_path, target):
    """No file may be run, or written by others."""
    path = tar(tmp_path / "model.tar", member("a", mode=0o6777), member("b", mode=0))
    archive.unpack(path, target)
    assert stat.S_IMODE((target / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((target / "b").stat().st_mode) == 0o600


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("end", ENDS)
def test_folders_twice_are_usual(tmp_path, target, end):
    path = write(tmp_path / f"model.{end}", "./", "a/", "a/b", "a/", "c/d")
    archive.unpack(path, target)
    assert tree(target) == ["a", "a/b", "c", "c/d"]


@pytest.fixture(scope="module", params=ENDS)
def good(request, tmp_path_factory):
    """Archives of a model in a folder, as they should be."""
    folder = tmp_path_factory.mktemp("good")
    path = folder / f"model.{request.param}"
    kind = {"zip": "zip", "tar": "tar"}.get(request.param, "gztar")
    made = shutil.make_archive(str(folder / "made"), kind, FIXTURES, "bilm_tf")
    return shutil.move(made, path)


def test_good_archive(good):
    source = open_weights(good)
    assert source.format == "bilm-tf checkpoint" and source.origin == str(good)
    source.check(BiLM)


def test_truncated_at_every_kilobyte(good, tmp_path, target, temporary):
    content = good.read_bytes()
    path = tmp_path / good.name
    # After the end of a .tar there may be any number of zeros.
    is_tar = good.suffix == ".tar"
    end = len(content.rstrip(b"\0")) // 512 * 512 + 512 if is_tar else len(content)
    ends = [len(content) - size for size in (1, 4, 8, 12, 30)]
    for size in [*range(0, end, 1024), *ends]:
        path.write_bytes(content[:size])
        if is_tar and size in ends:
            archive.unpack(path, tmp_path / f"{size}")
            continue
        with refused(path, NEXT_STEP):
            open_weights(path)
        with refused(path, NEXT_STEP):
            archive.unpack(path, target)
    assert tree(temporary) == [] and tree(target.parent) == []


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_wrapping_folders(tmp_path, depth):
    """One folder around a model is usual, while more are a mistake."""
    files = [("options.json", OPTIONS), ("weights.hdf5", WEIGHTS)]
    files = [("wrap/" * depth + name, content) for name, content in files]
    path = pack(tmp_path / "model.zip", files)
    if depth < 2:
        assert open_weights(path).format == "HDF5"
        return
    with refused(path, "which is none of these"):
        open_weights(path)


def test_archives_in_archives_are_not_unpacked(tmp_path):
    files = [("options.json", OPTIONS), ("weights.hdf5", WEIGHTS)]
    inner = pack(tmp_path / "inner.zip", files)
    path = pack(tmp_path / "outer.zip", [("inner.zip", inner.read_bytes())])
    with refused(path, "which is none of these"):
        open_weights(path)


@pytest.mark.parametrize(
    ("options", "weights", "name", "said"),
    [
        (b"{", WEIGHTS, "options.json", "could not be parsed"),
        (b"[]", WEIGHTS, "options.json", "JSON object"),
        (OPTIONS, WEIGHTS[:5000], "weights.hdf5", "complete HDF5 file"),
    ],
    ids=["cut options", "list", "cut weights"],
)
def test_errors_name_what_users_know(tmp_path, temporary, options, weights, name, said):
    """Errors name the archive, not the folder that it was unpacked to."""
    files = [("options.json", options), ("weights.hdf5", weights)]
    path = pack(tmp_path / "model.zip", files)
    with refused(path / name, said):
        open_weights(path)
    assert tree(temporary) == []


def test_archive_without_a_file(tmp_path):
    path = pack(tmp_path / "preset.zip", [("config.json", b'{"bilm": {}}')])
    with pytest.raises(FileNotFoundError, match=str(path)):
        open_weights(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bytes of small archives by the end of their names."""
    folder = tmp_path_factory.mktemp("small")
    names = ("folder/a", "folder/b", "folder/" + "b" * 120)
    files = [(name, name.encode() * 9) for name in names]
    members = [member(*file) for file in files]
    paths = {
        "zip": pack(folder / "a.zip", files[:2], compression=zipfile.ZIP_DEFLATED),
        "tar": tar(folder / "a.tar", *members[::2], mode="w"),
    }
    return {end: path.read_bytes() for end, path in paths.items()}


@PROPERTY
@given(
    st.sampled_from(["zip", "tar", "tar.gz"]),
    st.lists(st.tuples(st.integers(0, 10**5), BYTE), max_size=5),
)
def test_changed_bytes(tmp_path, small, kind, changes):
    """Bytes of a .tar.gz are changed before compression, so that its sum is right."""
    content = small[kind.partition(".")[0]]
    places = [place for place, byte in enumerate(content) if byte]
    changes = [(places[place % len(places)], byte) for place, byte in changes]
    content = mutated(content, changes)
    path = tmp_path / f"model.{kind}"
    path.write_bytes(gzip.compress(content) if kind == "tar.gz" else content)
    target = tmp_path / "parent" / "target"
    shutil.rmtree(target.parent, ignore_errors=True)
    try:
        archive.unpack(path, target)
    except ValueError as error:
        assert str(path) in str(error) and NEXT_STEP in str(error)
        assert not target.parent.exists() or os.listdir(target.parent) == []
    else:
        assert all(p.is_file() or p.is_dir() for p in target.rglob("*"))
        assert not any(p.is_symlink() for p in target.rglob("*"))
    assert set(os.listdir(tmp_path)) <= {path.name, "parent", "temporary"} | {
        f"model.{other}" for other in ("zip", "tar", "tar.gz")
    }


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compressed_tar_that_is_cut_or_changed(tmp_path, target, compress):
    plain = tar(tmp_path / "plain", member("folder/a", b"content" * 999), mode="w:")
    content = compress(plain.read_bytes())
    path = tmp_path / ("a.tar.gz" if compress is gzip.compress else "a.tar.bz2")
    path.write_bytes(content)
    assert archive.is_archive(path)
    archive.unpack(path, target)
    assert (target / "folder" / "a").read_bytes() == b"content" * 999
    shutil.rmtree(target)
    for size in range(0, len(content), 11):
        path.write_bytes(content[:size])
        with refused(path, NEXT_STEP):
            archive.unpack(path, target)
    for place in range(10, len(content), 7):
        path.write_bytes(mutated(content, [(place, content[place] ^ 0x55)]))
        with refused(path, NEXT_STEP):
            archive.unpack(path, target)
    assert not target.exists()
