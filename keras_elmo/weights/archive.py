"""Archives, unpacked only if nothing in them is where it should not be."""

import contextlib
import functools
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from keras_elmo.atomic import replacing

# The largest ELMo there is takes 0.4 GB, with training's memory 2.
_LARGEST = 16 * 2**30  # bytes
_MOST_MEMBERS = 10_000


class _Member(NamedTuple):
    """A file of an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


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
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,  # a compression of its own
        RuntimeError,  # a password
        ValueError,
    ) as error:
        raise ValueError(
            "An archive should be a complete .zip or .tar.gz with nothing but the "
            f"files of one model. Received: {os.fspath(path)!r} ({error}). Fetch it "
            "again, or unpack it with another program and pass the folder."
        ) from error


def _write(member: _Member, folder: Path) -> None:
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
    """The files of an archive, each checked before it is returned."""
    kind = _zip_members if path.name.endswith(".zip") else _tar_members
    seen: set[str] = set()
    total = 0
    with contextlib.closing(kind(path)) as members:
        for member in members:
            name = _checked_name(member.name)
            if name in seen or len(seen) >= _MOST_MEMBERS:
                raise ValueError(f"{member.name!r} is there twice, or one too many")
            seen.add(name)
            total += member.size
            if total > _LARGEST or member.size < 0:
                raise ValueError(
                    f"unpacked, it would take more than {_LARGEST:,} bytes: "
                    f"{member.name!r} alone has {member.size:,}"
                )
            yield member._replace(name=name)


def _checked_name(name: str) -> str:
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or any(character in name for character in "\\:\0")
    ):
        raise ValueError(f"{name!r} is not below its folder")
    return path.as_posix()


def _zip_members(path: Path) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = info.external_attr >> 16 & 0o170000
            if kind not in (0, 0o100000, 0o040000):
                raise ValueError(f"{info.filename!r} is a link, or a device")
            if not info.is_dir():
                opener = functools.partial(archive.open, info)
                yield _Member(info.filename, info.file_size, opener)


def _tar_members(path: Path) -> Generator[_Member, None, None]:
    with tarfile.open(path) as archive:
        for info in archive:
            if info.isdir():
                _checked_name(f"{info.name}/file")
            elif not info.isfile() or info.issparse():
                raise ValueError(f"{info.name!r} is a link, a device or sparse")
            else:
                opener = functools.partial(archive.extractfile, info)
                yield _Member(info.name, info.size, opener)
