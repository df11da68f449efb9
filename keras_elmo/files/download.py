"""Files from the web: fetched once, whole or not at all, and the same ever after."""

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import pooch
import requests
from rich.console import Console

from keras_elmo.files.atomic import replacing
from keras_elmo.files.resuming_downloader import ResumingDownloader


def download(
    address: str,
    folder: str | os.PathLike,
    known_hash: str | None = None,
    name: str | None = None,
) -> Path:
    """The path of a file from the web, fetched if it is not there.

    Its SHA-256 is recorded beside it when it is first seen, and must be the same ever
    after, also when the file is deleted and fetched again. A file whose size and time
    of change are those of the record is taken to be the same: to read 374 MB at every
    start would cost a second, and find only what changes a file without a trace.

    Of several processes that want the file at once, one fetches it and the others
    wait. With `KERAS_ELMO_OFFLINE=1` in the environment nothing is fetched.

    Args:
        address: Where the file is, with `http` or `https`.
        folder: Folder to keep the file in.
        known_hash: SHA-256 of the file in hexadecimal digits. Defaults to None, for
            the recorded one.
        name: Name of the file in `folder`. Defaults to that in the address.

    Raises:
        FileNotFoundError: if the file is not there, and must not be fetched.
        ConnectionError: if it could not be fetched. What has arrived is kept, and the
            next call goes on from there if the server lets it.
        ValueError: for an address of another kind, or another SHA-256.
        OSError: if the file can't be written.

    Example:

    >>> download("https://example.com/elmo.tar.gz", "weights")  # doctest: +SKIP
    PosixPath('weights/elmo.tar.gz')
    """
    _check_address(address)
    path = Path(folder) / (name or _name_in(address))
    if not path.is_file():
        if is_offline():
            raise FileNotFoundError(
                f"{os.fspath(path)!r} is not there, and KERAS_ELMO_OFFLINE forbids to "
                f"fetch it. Unset that, or put the file of {address} there"
            )
        with _lock(path):
            if not path.is_file():  # nobody was faster
                _fetch(address, path, known_hash)
    _verify(path, known_hash)
    return path


def is_offline() -> bool:
    """Whether the environment says that nothing may be fetched."""
    return os.environ.get("KERAS_ELMO_OFFLINE", "").lower() not in ("", "0", "false")


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            "`address` should start with http:// or https:// and the name of a "
            f"server. Received: address={address!r}. Give a file of this machine as "
            "its path"
        )


def _name_in(address: str) -> str:
    """The last part of an address, as a file name that leads nowhere else."""
    last = urlsplit(address).path.rstrip("/").rpartition("/")[-1]
    return re.sub(r"[^\w.-]", "_", last).lstrip(".") or "download"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        _say(f"Waiting for another process, which fetches {path}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(address: str, path: Path, known_hash: str | None) -> None:
    _say(f"Fetching {address} to {path}")
    expected = known_hash or _read_record(path).get("sha256")
    try:
        with _silent(pooch.get_logger()):
            pooch.retrieve(
                address,
                expected,
                fname=path.name,
                path=path.parent,
                downloader=ResumingDownloader(path),
            )
    except requests.RequestException as error:
        raise ConnectionError(
            f"{address} should send the file {path.name!r}. Received: {error}. Try "
            "again, which goes on from where this ended if the server can; or get the "
            f"file elsewhere and put it at {os.fspath(path)!r}"
        ) from error
    except ValueError as error:  # pooch's of the hash
        raise ValueError(
            f"{address} should send the file of the known SHA-256. Received: {error} "
            + _next_step(path)
        ) from error


def _verify(path: Path, known_hash: str | None) -> None:
    """Checks a file against its record, or makes one."""
    record = _read_record(path)
    expected = (known_hash or record.get("sha256", "")).lower()
    state = {"size": path.stat().st_size, "changed": path.stat().st_mtime_ns}
    if record == {"sha256": expected, **state}:
        return
    found = pooch.file_hash(os.fspath(path))
    if expected and found != expected:
        raise ValueError(
            f"{os.fspath(path)!r} should have the SHA-256 {expected}. Received: a file "
            f"with {found}. " + _next_step(path)
        )
    if os.access(path.parent, os.W_OK):  # who may only read does without a record
        with replacing(_record(path)) as temporary:
            Path(temporary).write_text(json.dumps({"sha256": found, **state}))


def _next_step(path: Path) -> str:
    return (
        f"If the change is meant, delete {os.fspath(_record(path))!r}, and the file "
        "to fetch it anew"
    )


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256.json")


def _read_record(path: Path) -> dict:
    return json.loads(_record(path).read_text()) if _record(path).is_file() else {}


@contextlib.contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """pooch prints advice that is for callers of pooch."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _say(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(line, highlight=False, markup=False)
