"""Archives that should harm somebody."""

import bz2
import gzip
import io
import lzma
import os
import resource
import shutil
import stat
import struct
import tarfile
import tempfile
import time
import zipfile

import pytest
from golden import FIXTURES, Golden
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusal import refused

from keras_elmo import BiLM
from keras_elmo.files import archive
from keras_elmo.weights.open_weights import open_weights

NEXT_STEP = "Fetch it again, or unpack it with another program"
PROPERTY = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def seeded():
    """No test here builds anything, of which Keras would have to be cleaned."""


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


@pytest.fixture
def unwritten(monkeypatch):
    """Nothing may be written, not even for a moment."""

    def never(path):
        pytest.fail("something is written before all is looked at")

    monkeypatch.setattr(archive, "replacing", never)


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def member(name, content=b"content", **attributes):
    """A line of a tar archive: what it says of a file, and the file."""
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
    """Of headers and contents as they are, which `tarfile` would not write."""
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


def patched(path, *changes):
    """A zip with bytes at places that count from `(signature, place)`."""
    content = bytearray(path.read_bytes())
    for signature, place, new in changes:
        start = content.index(signature) + place
        content[start : start + len(new)] = new
    path.write_bytes(content)
    return path


NAMES = [
    "../evil",
    "a/../../evil",
    "..",
    "/evil",
    "//evil",
    "/",
    "..\\evil",
    "a\\b",
    "C:evil",
    "C:\\evil",
    "C:/evil",
    "\\\\server\\share",
    "a:stream",
    "",
    ".",
    "./",
    "x" * 300,
    "/".join("x" * 200),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_tar(tmp_path, target, unwritten, name):
    path = tar(tmp_path / "evil.tar.gz", member("good"), member(name))
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("name", [name for name in NAMES if name and name[-1] != "/"])
def test_names_of_zip(tmp_path, target, unwritten, name):
    path = pack(tmp_path / "evil.zip", [("good", b"1"), (name, b"2")])
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)


def test_file_in_place_of_the_folder(tmp_path, target, unwritten):
    path = tar(tmp_path / "evil.tar.gz", member("."))
    with refused(path, "'.' is there twice", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("name", ["../evil/", "/evil/", "C:/", "a/../../b/"])
def test_names_of_folders(tmp_path, target, unwritten, name):
    folder = member(name.rstrip("/"), b"", type=tarfile.DIRTYPE)
    for path in (
        tar(tmp_path / "evil.tgz", member("good"), folder),
        pack(tmp_path / "evil.zip", [("good", b"1"), (name, b"")]),
    ):
        with refused(path, "is not below its folder", NEXT_STEP):
            archive.unpack(path, target)


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
        b"9",
        b"\xff",
    ],
    ids=str,
)
def test_links_and_devices_of_tar(tmp_path, target, unwritten, kind):
    odd = member("odd", b"", type=kind, linkname="/etc/passwd")
    path = tar(tmp_path / "evil.tar.gz", member("good"), odd)
    with refused(path, "odd", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("place", ["/etc", "..", "good"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_link_and_what_goes_through_it(tmp_path, target, unwritten, kind, place):
    link = member("link", b"", type=kind, linkname=place)
    path = tar(tmp_path / "evil.tar.gz", member("good"), link, member("link/passwd"))
    with refused(path, "'link' is a link", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_of_zip(tmp_path, target, unwritten, kind):
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    path = pack(tmp_path / "evil.zip", [("good", b"1"), (info, b"/etc/passwd")])
    with refused(path, "'link' is a link", NEXT_STEP):
        archive.unpack(path, target)


def test_sparse_files(tmp_path, target, unwritten):
    """In the way of newer programs, whose headers look like those of a file."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    headers |= {"GNU.sparse.name": "holes", "GNU.sparse.realsize": "4096"}
    sparse = member("sparse", b"0\n".ljust(512, b"\0"), pax_headers=headers)
    path = tar(tmp_path / "evil.tar.gz", member("good"), sparse)
    with refused(path, "'holes' is a link, a device or sparse", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ["a", "a"],
        ["a", "./a"],
        ["a/b", "a//b"],
        ["a/b", "a/./b"],
        ["a", "A"],
        ["folder/A", "FOLDER/a"],
        ["a", "a/b"],
        ["a/b", "a"],
        ["a/b/c", "a"],
        ["a", "a/b/c"],
        ["a/", "a"],
        ["a", "a/"],
    ],
    ids=" ".join,
)
def test_duplicated_names(tmp_path, target, unwritten, names):
    def line(name):
        kind = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
        return member(name, b"" if name.endswith("/") else b"1", type=kind)

    contents = [(name, b"" if name.endswith("/") else b"1") for name in names]
    paths = (
        tar(tmp_path / "evil.tar.gz", *map(line, names)),
        pack(tmp_path / "evil.zip", contents),
    )
    for path in paths:
        with refused(path, "is there twice, or as a file and as a folder", NEXT_STEP):
            archive.unpack(path, target)


def memory():
    """Of the largest that this process ever was, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("size", [2**40, 2**34 + 1, 2**62])
def test_terabyte_of_tar(tmp_path, target, unwritten, size):
    path = raw_tar(tmp_path / "evil.tar.gz", head("huge", size))
    with refused(path, "more than 17,179,869,184 bytes", f"{size:,}", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("size", [2**40, 2**63])
def test_terabyte_of_zip(tmp_path, target, unwritten, size):
    extra = struct.pack("<HHQQ", 1, 16, size, 20)
    info = zipfile.ZipInfo("huge")
    info.extra = extra
    path = pack(tmp_path / "evil.zip", [(info, b"1" * 20)])
    largest = struct.pack("<II", 2**32 - 1, 2**32 - 1)
    patched(path, (b"PK\x01\x02", 20, largest))
    with refused(path, "more than 17,179,869,184 bytes", NEXT_STEP):
        archive.unpack(path, target)


def test_terabyte_in_many_files(tmp_path, target, unwritten):
    """Each of 4 GB, of which none is there."""
    path = pack(tmp_path / "evil.zip", [(f"{number}", b"1") for number in range(9)])
    content = path.read_bytes()
    start = 0
    while (start := content.find(b"PK\x01\x02", start)) >= 0:
        size = struct.pack("<I", 2**32 - 2)
        content = content[: start + 24] + size + content[start + 28 :]
        start += 1
    path.write_bytes(content)
    with refused(path, "more than 17,179,869,184 bytes", NEXT_STEP):
        archive.unpack(path, target)


def test_zip_that_says_less_than_it_has(tmp_path, target):
    """It is read as far as it says, and the checksum tells."""
    path = pack(
        tmp_path / "evil.zip",
        [("huge", bytes(2**26))],
        compression=zipfile.ZIP_DEFLATED,
    )
    size = struct.pack("<I", 100)
    patched(path, (b"PK\x01\x02", 24, size), (b"PK\x03\x04", 22, size))
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)
    assert tree(target.parent) == []


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X", b"5", b"2"])
@pytest.mark.parametrize("size", [2**40, 2**28])
def test_headers_without_end(tmp_path, target, unwritten, kind, size):
    """A name, say, of a terabyte, which `tarfile` would read into memory."""
    path = tmp_path / "evil.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head("huge", size, kind))
        if size == 2**28 and kind == b"L":
            for _ in range(256):
                file.write(bytes(2**20))
    before = memory()
    with refused(path, f"{size:,} bytes", NEXT_STEP):
        archive.unpack(path, target)
    assert memory() - before < 2**26


@pytest.mark.parametrize("size", [-1, -512, -(2**30)])
@pytest.mark.parametrize("kind", [b"0", b"L", b"x", b"5"])
def test_negative_sizes(tmp_path, target, unwritten, kind, size):
    """At which older versions of Python search without end."""
    path = raw_tar(tmp_path / "evil.tar.gz", head("negative", size, kind))
    start = time.monotonic()
    with refused(path, f"{size:,} bytes", NEXT_STEP):
        archive.unpack(path, target)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("size", ["-512", str(2**40), str(2**70)])
def test_sizes_in_further_headers(tmp_path, target, unwritten, size):
    record = f" size={size}\n"
    record = f"{len(record) + 2}{record}".encode()
    info, content = member("odd")
    lines = head("x", len(record), b"x"), record, info.tobuf(), content
    path = raw_tar(tmp_path / "evil.tar.gz", *lines)
    with refused(path, "'odd'", f"{int(size):,}", NEXT_STEP):
        archive.unpack(path, target)


def test_chain_of_headers(tmp_path, target, unwritten):
    """Each of which says something of the next."""
    chain = [head("x", 1, b"L"), b"a"] * 3000
    path = raw_tar(tmp_path / "evil.tar.gz", *chain, head("x", 0))
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("end", ["", "/"])
def test_many_members(tmp_path, target, unwritten, end):
    names = [f"{number}{end}" for number in range(10_001)]
    kind = tarfile.DIRTYPE if end else tarfile.REGTYPE
    for path in (
        tar(tmp_path / "evil.tgz", *(member(n, b"", type=kind) for n in names)),
        pack(tmp_path / "evil.zip", [(name, b"") for name in names]),
    ):
        with refused(path, "more than 10,000 files", NEXT_STEP):
            archive.unpack(path, target)


@pytest.fixture(scope="module", params=["zip", "tar.gz", "tgz", "tar"])
def good(request, tmp_path_factory):
    """Archives with a model as it should be, wrapped in a folder."""
    folder = tmp_path_factory.mktemp("good")
    path = folder / f"model.{request.param}"
    kind = {"zip": "zip", "tar": "tar"}.get(request.param, "gztar")
    made = shutil.make_archive(str(folder / "made"), kind, FIXTURES, "bilm_tf")
    return shutil.move(made, path)


def test_good_archive(good):
    source = open_weights(good)
    assert source.format == "bilm-tf checkpoint" and source.origin == str(good)
    source.check(BiLM)


def test_truncated_at_every_kilobyte(good, tmp_path, temporary):
    content = good.read_bytes()
    path = tmp_path / good.name
    # After the end of a .tar there may be any number of zeros.
    end = len(content.rstrip(b"\0")) // 512 * 512 + 512
    for size in range(0, end if good.suffix == ".tar" else len(content), 1024):
        path.write_bytes(content[:size])
        with refused(path, NEXT_STEP):
            open_weights(path)
    assert tree(temporary) == []


@pytest.mark.parametrize("size", [1, 4, 8, 12, 30])
def test_end_cut_off(good, tmp_path, target, size):
    path = tmp_path / good.name
    path.write_bytes(good.read_bytes()[:-size])
    if good.suffix == ".tar":
        archive.unpack(path, target)  # zeros
        return
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)
    assert not target.parent.exists() or tree(target.parent) == []


def test_tar_that_ends_after_a_file(tmp_path, target, unwritten):
    path = tar(tmp_path / "evil.tar", member("a"), member("b"), mode="w")
    path.write_bytes(path.read_bytes()[:1024])
    with refused(path, "cut short", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize(
    "name", ["model.zip", "model.tar.gz", "model.tar", "model.tgz"]
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage" * 1000,
        b"PK\x03\x04" + bytes(1000),
        b"PK\x05\x06" + b"\xff" * 18,
        b"\x1f\x8b" + bytes(1000),
        gzip.compress(b""),
        gzip.compress(b"garbage" * 1000),
        bz2.compress(bytes(10240)),
        lzma.compress(bytes(10240)),
        b"\x89HDF\r\n\x1a\n" * 200,
    ],
    ids=[
        "empty",
        "garbage",
        "zip alone",
        "end of a zip",
        "gzip alone",
        "gzip of nothing",
        "gzip of garbage",
        "bzip2",
        "xz",
        "HDF5",
    ],
)
def test_wrong_magic(tmp_path, target, unwritten, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)


def test_wrong_checksums(tmp_path, target):
    path = pack(tmp_path / "evil.zip", [("a", b"good content")])
    patched(path, (b"good content", 0, b"evil"))
    with refused(path, "CRC", NEXT_STEP):
        archive.unpack(path, target)
    assert tree(target.parent) == []


@pytest.mark.parametrize("place", [-8, -4])
def test_wrong_checksum_of_gzip(tmp_path, target, unwritten, place):
    path = tar(tmp_path / "evil.tar.gz", member("a"))
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with refused(path, NEXT_STEP):
        archive.unpack(path, target)


def test_more_after_the_end(tmp_path, target, unwritten):
    """Which nobody would see, but who looks for the checksum has to read."""
    path = tar(tmp_path / "evil.tar", member("a"), mode="w")
    content = path.read_bytes() + bytes(2**21)
    (tmp_path / "evil.tar.gz").write_bytes(gzip.compress(content))
    with refused("more in it than files", NEXT_STEP):
        archive.unpack(tmp_path / "evil.tar.gz", target)


def test_encrypted_zip(tmp_path, target):
    path = pack(tmp_path / "evil.zip", [("a", b"content")])
    patched(path, (b"PK\x01\x02", 8, b"\x01"), (b"PK\x03\x04", 6, b"\x01"))
    with refused(path, "password", NEXT_STEP):
        archive.unpack(path, target)
    assert tree(target.parent) == []


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 95, 99, 65535])
def test_unknown_compression(tmp_path, target, unwritten, method):
    """Some are known to `zipfile`, which takes any memory for them."""
    path = pack(tmp_path / "evil.zip", [("a", b"content")])
    number = struct.pack("<H", method)
    patched(path, (b"PK\x01\x02", 10, number), (b"PK\x03\x04", 8, number))
    with refused(path, "'a' is compressed in a rare way", NEXT_STEP):
        archive.unpack(path, target)


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
def test_other_compression_of_tar(tmp_path, target, unwritten, compress):
    path = tar(tmp_path / "model.tar", member("a"), mode="w")
    path.write_bytes(compress(path.read_bytes()))
    for other in (path, shutil.copyfile(path, tmp_path / "model.tar.gz")):
        with refused(other, NEXT_STEP):
            archive.unpack(other, target)


def test_nothing_is_left(tmp_path):
    path = tar(tmp_path / "evil.tar.gz", member("a", b"1"), member("../b", b"2"))
    before = tree(tmp_path)
    with refused(path):
        open_weights(path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_wrapping_folders(tmp_path, depth):
    """One is usual. More are of somebody who wants to hide something, or a mistake."""
    golden, folder = Golden("skip"), "wrap/" * depth
    files = [(f"{folder}options.json", golden.options.read_bytes())]
    files += [(f"{folder}weights.hdf5", golden.weights.read_bytes())]
    path = pack(tmp_path / "model.zip", files)
    if depth < 2:
        assert open_weights(path).format == "HDF5"
        return
    with refused(path, "which is none of these"):
        open_weights(path)


def test_archives_in_archives_are_not_unpacked(tmp_path):
    golden = Golden("skip")
    files = [("options.json", golden.options.read_bytes())]
    files += [("weights.hdf5", golden.weights.read_bytes())]
    inner = pack(tmp_path / "inner.zip", files)
    path = pack(tmp_path / "outer.zip", [("inner.zip", inner.read_bytes())])
    with refused(path, "which is none of these"):
        open_weights(path)


def test_errors_name_what_users_know(tmp_path, temporary):
    """And not where the archive was unpacked."""
    golden = Golden("skip")
    weights = ("weights.hdf5", golden.weights.read_bytes())
    for options, part in ((b"{", "could not be parsed"), (b"[]", "JSON object")):
        path = pack(tmp_path / "model.zip", [("options.json", options), weights])
        with refused(path / "options.json", part):
            open_weights(path)
    options = ("options.json", golden.options.read_bytes())
    cut = ("weights.hdf5", golden.weights.read_bytes()[:5000])
    path = pack(tmp_path / "model.zip", [options, cut])
    with refused(path / "weights.hdf5", "complete HDF5 file"):
        open_weights(path)
    assert tree(temporary) == []


def test_archive_without_a_file(tmp_path):
    path = pack(tmp_path / "preset.zip", [("config.json", b'{"bilm": {}}')])
    with pytest.raises(FileNotFoundError, match=str(path)):
        open_weights(path)


def small(kind):
    content = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            for name in ("folder/a", "folder/b"):
                file.writestr(zipfile.ZipInfo(name), name * 9)
    else:
        with tarfile.open(fileobj=content, mode="w") as file:
            for name in ("folder/a", "folder/" + "b" * 120):
                info, inside = member(name, name.encode() * 9)
                file.addfile(info, io.BytesIO(inside))
    return content.getvalue()


SMALL = {kind: small(kind) for kind in ("zip", "tar")}


@PROPERTY
@given(
    st.sampled_from(["zip", "tar", "tar.gz"]),
    st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 255)), max_size=5),
)
def test_changed_bytes(tmp_path, kind, changes):
    """Of a .tar.gz, inside of it: its checksum is right."""
    content = bytearray(SMALL["zip" if kind == "zip" else "tar"])
    places = [place for place, byte in enumerate(content) if byte]
    for place, byte in changes:
        content[places[place % len(places)]] = byte
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
