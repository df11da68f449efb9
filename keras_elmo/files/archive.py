"""Archives, unpacked only if nothing in them is where it should not be."""

import contextlib
import functools
import gzip
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from keras_elmo.files.atomic import replacing

# The largest ELMo there is takes 0.4 GB, with training's memory 2.
MAX_UNPACKED_BYTES = 16 * 2**30  # bytes
MAX_MEMBERS = 10_000
MAX_NAME_BYTES = 255  # bytes
_GZIP = b"\x1f\x8b"  # begins such files
# Of what only says something of a file, and of what follows the last of them.
MAX_HEADER_BYTES = 2**20  # bytes


class _Member(NamedTuple):
    """A file of an archive, or a folder, which can't be opened."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None] | None


class _Header(tarfile.TarInfo):
    """Refuses what `tarfile` itself would read, or search for, without end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (not header.isreg() and header.size > MAX_HEADER_BYTES):
            raise ValueError(f"{header.name!r} is said to have {header.size:,} bytes")
        return header


def is_archive(path: Path) -> bool:
    """Whether a file ends as archives do."""
    return path.is_file() and path.name.endswith((".zip", ".tar.gz", ".tgz", ".tar"))


def unpack(path: Path, folder: str | os.PathLike) -> None:
    """Unpacks a .zip or .tar.gz, whole or not at all.

    All is looked at before anything is written.

    Args:
        path: The archive.
        folder: The folder to make of it.

    Raises:
        ValueError: if it is broken; if it holds anything but files and folders below
            `folder`, each once; or if it would become absurdly large.
    """
    try:
        for _ in _members(path):  # once, for the checks
            pass
        with replacing(folder) as temporary:
            Path(temporary).mkdir()
            for member in _members(path):
                _write(member, Path(temporary))
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        zlib.error,
        struct.error,
        EOFError,
        RuntimeError,  # a password, or a chain of headers
        ValueError,
    ) as error:
        raise ValueError(
            "An archive should be a complete .zip or .tar.gz with nothing but the "
            f"files of one model. Received: {os.fspath(path)!r} ({error}). Fetch it "
            "again, or unpack it with another program and pass the folder."
        ) from error


def _write(member: _Member, folder: Path) -> None:
    if member.open is None:
        return
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = member.open()
    if content is None:
        raise ValueError(f"{member.name!r} is no file")
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)
    if target.stat().st_size != member.size:
        raise ValueError(f"{member.name!r} is cut short")


def _members(path: Path) -> Iterator[_Member]:
    """What is in an archive, each checked before it is returned."""
    kind = _zip_members if path.name.endswith(".zip") else _tar_members
    files: set[str] = set()
    folders = {"."}
    total = 0
    with contextlib.closing(kind(path)) as members:
        for count, member in enumerate(members):
            name = _checked_name(member.name)
            _add(name, member.open is None, files, folders)
            if count >= MAX_MEMBERS:
                raise ValueError(f"there are more than {MAX_MEMBERS:,} files in it")
            total += member.size
            if total > MAX_UNPACKED_BYTES or member.size < 0:
                raise ValueError(
                    f"unpacked, it would take more than {MAX_UNPACKED_BYTES:,} bytes: "
                    f"{member.name!r} alone has {member.size:,}"
                )
            yield member._replace(name=name)


def _add(name: str, is_folder: bool, files: set[str], folders: set[str]) -> None:
    """Refuses what is there twice, or as a file and as a folder."""
    # Some file systems do not tell capitals from small letters.
    path = PurePosixPath(name.casefold())
    above = {folder.as_posix() for folder in path.parents}
    both = files & above or (is_folder and path.as_posix() in files)
    if both or (not is_folder and path.as_posix() in files | folders):
        raise ValueError(f"{name!r} is there twice, or as a file and as a folder")
    folders |= above
    (folders if is_folder else files).add(path.as_posix())


def _checked_name(name: str) -> str:
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or any(character in name for character in "\\:\0")
        or len(os.fsencode(name)) > MAX_NAME_BYTES
    ):
        raise ValueError(f"{name[:MAX_NAME_BYTES]!r} is not below its folder")
    return path.as_posix()


def _zip_members(path: Path) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = info.external_attr >> 16 & 0o170000
            if kind not in (0, 0o100000, 0o040000):
                raise ValueError(f"{info.filename!r} is a link, or a device")
            # Others take any memory for a few bytes; these do not.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{info.filename!r} is compressed in a rare way")
            opener = None if info.is_dir() else functools.partial(archive.open, info)
            yield _Member(info.filename, info.file_size, opener)


def _tar_members(path: Path) -> Generator[_Member, None, None]:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(_uncompressed(path))
        archive = stack.enter_context(
            tarfile.open(fileobj=file, mode="r:", tarinfo=_Header)
        )
        for info in archive:
            if not (info.isfile() or info.isdir()) or info.issparse():
                raise ValueError(f"{info.name!r} is a link, a device or sparse")
            opener = functools.partial(archive.extractfile, info)
            yield _Member(info.name, info.size, None if info.isdir() else opener)
        if file.tell() < archive.offset + tarfile.BLOCKSIZE:
            raise ValueError("it is cut short")
        # At the very end is what says whether the rest is as it was.
        if len(file.read(MAX_HEADER_BYTES)) == MAX_HEADER_BYTES:
            raise ValueError("there is more in it than files")


def _uncompressed(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_compressed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path) if is_compressed else path.open("rb")  # type: ignore
