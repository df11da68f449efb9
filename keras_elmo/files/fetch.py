"""One file over HTTP, which goes on where an earlier attempt was cut."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

_ATTEMPTS = 5
_WAIT = 0.5  # seconds before the second attempt, doubled before each further one
_TIMEOUT = 10, 60  # seconds to connect, and between two blocks
_BLOCK = 1 << 16  # bytes; a cut loses what has arrived of one block
# A later attempt may get another answer; 416 means that the part is too long.
_PASSING = {408, 416, 429, 500, 502, 503, 504}


def fetch(address: str, path: Path) -> Path:
    """Fetches a file, and leaves it beside `path` for the caller to check and move.

    What has arrived is kept there, together with the server's name of this version of
    the file (`ETag` or `Last-Modified`). The next attempt, in this process or in a
    later one, asks for the rest of that version. It starts over if the server has
    another version by now, or sends everything.

    Args:
        address: Address of the file.
        path: Where the file is to be in the end.

    Returns:
        The path of the whole file.

    Raises:
        requests.RequestException: if the server does not send the file.
        OSError: if the file can't be written.
    """
    part = path.with_name(f".{path.name}.part")
    with _progress_bar() as bar:
        task = bar.add_task(path.name, total=None)
        for attempt in range(_ATTEMPTS):
            try:
                _fetch_rest(address, part, bar, task)
                break
            except requests.RequestException as error:
                if attempt == _ATTEMPTS - 1 or not _is_passing(error):
                    raise
                time.sleep(_WAIT * 2**attempt)
    _version_file(part).unlink(missing_ok=True)
    return part


def _fetch_rest(address: str, part: Path, bar: Progress, task: TaskID) -> None:
    """Makes one attempt to fetch what is missing."""
    headers = _headers(part)
    with requests.get(
        address, headers=headers, stream=True, timeout=_TIMEOUT
    ) as response:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
        response.raise_for_status()
        _refuse_web_page(response)
        start = _start(response, part)
        bar.reset(task, completed=start, total=_total(response, start))
        with _errors_that_name(part), part.open("ab") as file:
            for block in response.iter_content(_BLOCK):
                file.write(block)
                bar.advance(task, len(block))
        _check_length(response)


def _headers(part: Path) -> dict[str, str]:
    """What to ask for: the rest of a known version, or else the whole file."""
    headers = {"Accept-Encoding": "identity"}  # so that bytes can be counted
    if _size(part) and _version_file(part).is_file():
        headers["Range"] = f"bytes={_size(part)}-"
        headers["If-Range"] = _version_file(part).read_text(encoding="latin-1")
    return headers


def _start(response: requests.Response, part: Path) -> int:
    """The byte that the response starts with, which is where the part ends."""
    if response.status_code == 206:
        given = response.headers.get("Content-Range", "")
        if given.startswith(f"bytes {_size(part)}-"):
            return _size(part)
        part.unlink(missing_ok=True)
        raise requests.ConnectionError(f"another range than asked for: {given!r}")
    # The part goes first, so that no version stands beside bytes of another one.
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)
    if version := _version(response):
        _version_file(part).write_text(version, encoding="latin-1")
    return 0


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _version(response: requests.Response) -> str | None:
    """What names this version of the file in `If-Range`, if anything does."""
    if "Content-Encoding" in response.headers:
        return None
    tag = response.headers.get("ETag", "")
    is_strong = tag.startswith('"')  # files with the same weak tag may differ in bytes
    return tag if is_strong else response.headers.get("Last-Modified")


def _progress_bar() -> Progress:
    console = Console(stderr=True, soft_wrap=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _is_passing(error: requests.RequestException) -> bool:
    """Whether another attempt may do better."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in _PASSING
    cut = requests.ConnectionError, requests.Timeout
    return isinstance(error, (*cut, requests.exceptions.ChunkedEncodingError))


def _refuse_web_page(response: requests.Response) -> None:
    """Refuses HTML, which login pages and moved sites send in place of a file."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise requests.RequestException(f"a web page, from {response.url}")


def _length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _total(response: requests.Response, start: int) -> int | None:
    """The size of the whole file, if the response tells."""
    length = _length(response)
    if length is None or "Content-Encoding" in response.headers:
        return None  # `iter_content` undoes an encoding, which changes the length
    return start + length


def _check_length(response: requests.Response) -> None:
    """Refuses a response that was cut, which urllib3 before 2.0 does not."""
    length, arrived = _length(response), response.raw.tell()
    if length is not None and arrived != length:
        raise requests.ConnectionError(f"{arrived:,} of {length:,} bytes")


@contextlib.contextmanager
def _errors_that_name(path: Path) -> Iterator[None]:
    """Adds the path to errors of writing, such as that of a full disk."""
    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
