"""Files from the web: fetched once, whole or not at all, and the same ever after."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import filelock
import requests
from rich.console import Console

from keras_elmo.files.fetch import fetch
from keras_elmo.files.locks import lock_beside
from keras_elmo.files.strict_json import read_object, write_object

_ALGORITHMS = ("sha256", "sha512", "sha1", "md5")


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
        known_hash: SHA-256 of the file in hexadecimal digits, or another hash after
            its name, such as `"md5:..."`, which is then recorded instead. Defaults to
            None, for the recorded SHA-256.
        name: Name of the file in `folder`. Defaults to that in the address.

    Raises:
        FileNotFoundError: if the file is not there, and must not be fetched.
        ConnectionError: if it could not be fetched. What has arrived is kept, and the
            next call goes on from there if the server lets it.
        ValueError: for an address of another kind, or another hash.
        OSError: if the file can't be written.

    Example:

    >>> download("https://example.com/elmo.tar.gz", "weights")  # doctest: +SKIP
    PosixPath('weights/elmo.tar.gz')
    """
    _check_address(address)
    path = Path(folder) / (name or _name_in(address))
    record = _Record(path, known_hash)
    if not path.is_file():
        if is_offline():
            raise FileNotFoundError(
                f"{os.fspath(path)!r} should be there, because KERAS_ELMO_OFFLINE "
                "forbids to fetch it. Received: no such file. Unset that, or put the "
                f"file of {address} there"
            )
        with _lock(path):
            if not path.is_file():  # no other process was faster
                _download(address, path, record)
    record.check(path, repr(os.fspath(path)))
    return path


def is_offline() -> bool:
    """Whether the environment says that nothing may be fetched."""
    return os.environ.get("KERAS_ELMO_OFFLINE", "").lower() not in ("", "0", "false")


class _Record:
    """The hash of a file, in a JSON file beside it.

    Args:
        path: Path of the file, which need not be there yet.
        known_hash: See `download`.
    """

    def __init__(self, path: Path, known_hash: str | None):
        algorithm, _, digest = (known_hash or "").rpartition(":")
        self._algorithm = algorithm.lower() or "sha256"
        if self._algorithm not in _ALGORITHMS:
            raise ValueError(
                "`known_hash` should be a SHA-256, or another hash after its name, one "
                f'of {_ALGORITHMS}, such as "md5:...". Received: '
                f"known_hash={known_hash!r}. Compute one of these of the file"
            )
        self._known = digest.lower()
        self._path = path.with_name(f"{path.name}.{self._algorithm}.json")

    def check(self, file: Path, source: str) -> None:
        """Compares a file with what is known of it, and records it.

        Args:
            file: The file, under its final name or a temporary one.
            source: Where it comes from, for the error.

        Raises:
            ValueError: if it has another hash.
        """
        recorded = read_object(self._path) if self._path.is_file() else {}
        expected = self._known or recorded.get(self._algorithm)
        state: dict[str, Any] = {
            "size": file.stat().st_size,
            "changed": file.stat().st_mtime_ns,
        }
        if recorded == {self._algorithm: expected, **state}:
            return
        with file.open("rb") as content:
            found = hashlib.file_digest(content, self._algorithm).hexdigest()
        if expected and found != expected:
            raise ValueError(
                f"{source} should be the file with the {self._algorithm} {expected}. "
                f"Received: a file with {found}. {self._next_step()}"
            )
        if os.access(self._path.parent, os.W_OK):  # a folder may be for reading only
            write_object(self._path, {self._algorithm: found, **state})

    def _next_step(self) -> str:
        if self._known:
            return "Delete it and fetch it anew, or give its own `known_hash`"
        return (
            f"If the change is meant, delete {os.fspath(self._path)!r}, and the file "
            "to fetch it anew"
        )


def _download(address: str, path: Path, record: _Record) -> None:
    _print(f"Fetching {address} to {path}")
    try:
        part = fetch(address, path)
    except requests.RequestException as error:
        raise ConnectionError(
            f"{address} should send the file {path.name!r}. Received: {error}. Try "
            "again, which goes on from where this ended if the server can; or get the "
            f"file elsewhere and put it at {os.fspath(path)!r}"
        ) from error
    try:
        record.check(part, address)
    except ValueError:
        part.unlink()
        raise
    os.replace(part, path)


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
    lock = lock_beside(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        _print(f"Waiting for another process, which fetches {path}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _print(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(line, highlight=False, markup=False)
