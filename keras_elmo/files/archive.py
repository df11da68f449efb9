"""Archives, unpacked only if nothing in them can do harm."""

import bz2
import gzip
import os
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from keras_elmo.files.atomic import replacing

# The largest published ELMo takes 0.4 GB, a checkpoint of its training 2 GB.
MAX_UNPACKED_BYTES = 16 * 2**30  # bytes
MAX_MEMBERS = 10_000
MAX_NAME_BYTES = 255  # bytes
MAX_HEADER_BYTES = 2**20  # bytes; bounds a tar's long names and further attributes
# The first bytes of a file tell how it is opened; others than these are not compressed.
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}

_ENDINGS = (".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar")

_Member = tuple[str, int, bool]  # name, size in bytes, whether it is a folder


class _Header(tarfile.TarInfo):
    """Bounds a header's size, which `tarfile` trusts.

    Without this, a header of a terabyte is read into memory, and one of a negative
    size makes `tarfile` read the same bytes for ever.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (not header.isreg() and header.size > MAX_HEADER_BYTES):
            raise ValueError(f"{header.name!r} is said to have {header.size:,} bytes")
        return header


def is_archive(path: Path) -> bool:
    """Whether a file's name ends as those of archives do."""
    return path.is_file() and path.name.endswith(_ENDINGS)


def unpack(path: Path, folder: str | os.PathLike) -> None:
    """Unpacks a .zip, .tar.gz or .tar.bz2, whole or not at all.

    Everything is looked at before anything is written.

    Args:
        path: The archive.
        folder: The folder to make of it.

    Raises:
        ValueError: if it is broken; if it holds anything but files and folders below
            `folder`, each file once; or if it would become absurdly large.
    """
    try:
        (_unpack_zip if path.name.endswith(".zip") else _unpack_tar)(path, folder)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        zlib.error,
        struct.error,
        EOFError,
        OverflowError,  # a time that the system does not know
        RuntimeError,  # a password, or a chain of headers
        ValueError,
        OSError,
    ) as error:
        # Errors of the system have a number; bz2 raises one without for broken data.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            "An archive should be a complete .zip, .tar.gz or .tar.bz2 with nothing "
            f"but the files of one model. Received: {os.fspath(path)!r} ({error}). "
            "Fetch it again, or unpack it with another program and pass the folder."
        ) from error


def _unpack_zip(path: Path, folder: str | os.PathLike) -> None:
    with zipfile.ZipFile(path) as archive:
        _check(_zip_members(archive))
        with replacing(folder) as temporary:
            os.mkdir(temporary)
            # Python 3.12 refuses "./", which is the folder itself.
            inside = [name for name in archive.namelist() if PurePosixPath(name).parts]
            archive.extractall(temporary, inside)


def _unpack_tar(path: Path, folder: str | os.PathLike) -> None:
    with (
        _uncompressed(path) as file,
        tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive,
    ):
        _check(_tar_members(archive))
        if file.tell() < archive.offset + tarfile.BLOCKSIZE:
            raise ValueError("it is cut short")
        file.read(MAX_HEADER_BYTES)  # gzip compares the checksum at the very end
        with replacing(folder) as temporary:
            os.mkdir(temporary)
            archive.extractall(temporary, filter="data")


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        kind = info.external_attr >> 16 & 0o170000
        if kind not in (0, 0o100000, 0o040000):
            raise ValueError(f"{info.filename!r} is a link or a device")
        # LZMA and bzip2 can take gigabytes of memory for a few bytes.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename!r} is compressed in a rare way")
        yield info.filename, info.file_size, info.filename.endswith("/")


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if not (info.isfile() or info.isdir()) or info.issparse():
            raise ValueError(f"{info.name!r} is a link, a device or sparse")
        yield info.name, info.size, info.isdir()


def _check(members: Iterable[_Member]) -> None:
    """Refuses what should not be written, before `tarfile` reads past it."""
    paths = [(PurePosixPath(), True)]  # each with whether it is a folder
    total = 0
    for name, size, is_folder in members:
        paths.append((_path_below(name), is_folder))
        if len(paths) > MAX_MEMBERS + 1:
            raise ValueError(f"there are more than {MAX_MEMBERS:,} files in it")
        total += size
        if total > MAX_UNPACKED_BYTES or size < 0:
            raise ValueError(
                f"unpacked, it would take more than {MAX_UNPACKED_BYTES:,} bytes: "
                f"{name!r} alone has {size:,}"
            )
    files = Counter(path for path, is_folder in paths if not is_folder)
    for path, is_folder in paths:
        is_twice = files[path] > (0 if is_folder else 1)
        if is_twice or any(parent in files for parent in path.parents):
            raise ValueError(f"'{path}' is there twice, or is in a file")


def _path_below(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    is_inside = not path.is_absolute() and ".." not in path.parts
    is_odd = any(character in name for character in "\\:\0")  # as in C:\folder
    if not is_inside or is_odd or len(os.fsencode(name)) > MAX_NAME_BYTES:
        raise ValueError(f"{name[:MAX_NAME_BYTES]!r} is not below its folder")
    return path


def _uncompressed(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        open_file = _COMPRESSED.get(file.read(2), open)
    return open_file(path, "rb")  # type: ignore[operator]
