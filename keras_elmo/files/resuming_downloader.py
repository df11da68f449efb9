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
_BLOCK = 1 << 16  # as much may have to be fetched again after a cut
# Answers that may be others a moment later; 416 is to a part longer than the file.
_PASSING = {408, 416, 429, 500, 502, 503, 504}


class ResumingDownloader:
    """Fetches a file over HTTP, and goes on where an earlier attempt was cut.

    What has arrived is kept beside the file to be, and with it the server's name of
    this version of the file (`ETag` or `Last-Modified`). The next attempt, in this
    process or in a later one, asks for the rest of that version. Where the server has
    another version by now, or sends everything, it starts over.

    Args:
        path: Path of the file to be.

    Call arguments:
        url: Address of the file.
        output_file: Where to move the file once it is whole.
        pooch: Not used; `pooch.retrieve` gives it to every downloader.

    Raises:
        requests.RequestException: if the server does not send the file.
        OSError: if it can't be written.

    Example:

    >>> downloader = ResumingDownloader(Path("elmo.tar.gz"))
    >>> downloader("https://example.com/elmo.tar.gz", "elmo.tar.gz")  # doctest: +SKIP
    """

    def __init__(self, path: Path):
        self._name = path.name
        self._part = path.with_name(f".{path.name}.part")
        self._version = path.with_name(f".{path.name}.part.version")

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        with _progress_bar() as bar:
            task = bar.add_task(self._name, total=None)
            for attempt in range(_ATTEMPTS):
                try:
                    self._fetch(url, bar, task)
                    break
                except requests.RequestException as error:
                    if attempt == _ATTEMPTS - 1 or not _is_passing(error):
                        raise
                    time.sleep(_WAIT * 2**attempt)
        os.replace(self._part, output_file)
        self._version.unlink(missing_ok=True)

    def _fetch(self, url: str, bar: Progress, task: TaskID) -> None:
        """One attempt to fetch what is missing."""
        response = requests.get(
            url, headers=self._headers(), stream=True, timeout=_TIMEOUT
        )
        with response:
            if response.status_code == 416:
                self._part.unlink(missing_ok=True)
            response.raise_for_status()
            _refuse_web_page(response)
            start = self._start(response)
            bar.reset(task, completed=start, total=_total(response, start))
            with _naming(self._part), open(self._part, "ab") as file:
                for block in response.iter_content(_BLOCK):
                    file.write(block)
                    bar.advance(task, len(block))
            _check_length(response)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # so that bytes can be counted
        if self._size() and self._version.is_file():
            headers["Range"] = f"bytes={self._size()}-"
            headers["If-Range"] = self._version.read_text(encoding="latin-1")
        return headers

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _start(self, response: requests.Response) -> int:
        """The byte that the response starts with, which is where the part ends."""
        if response.status_code == 206:
            given = response.headers.get("Content-Range", "")
            if given.startswith(f"bytes {self._size()}-"):
                return self._size()
            self._part.unlink(missing_ok=True)
            raise requests.ConnectionError(f"another range than asked for: {given!r}")
        # The part first: the name of a version must not stand beside another one.
        self._part.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)
        if version := _version_of(response):
            self._version.write_text(version, encoding="latin-1")
        return 0


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
    """Weights are never HTML, but what a login page or a moved site answers is."""
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
    """Not every version of urllib3 that requests works with does so itself."""
    length, arrived = _length(response), response.raw.tell()
    if length is not None and arrived != length:
        raise requests.ConnectionError(f"{arrived:,} of {length:,} bytes")


def _version_of(response: requests.Response) -> str | None:
    """What names this version of the file in `If-Range`, if anything does."""
    if "Content-Encoding" in response.headers:
        return None
    tag = response.headers.get("ETag", "")
    is_strong = tag.startswith('"')  # a weak one is of files alike, not the same
    return tag if is_strong else response.headers.get("Last-Modified")


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Names the file in errors of writing, such as that of a full disk."""
    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
