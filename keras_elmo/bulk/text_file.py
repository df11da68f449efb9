"""One file of text, on this machine or elsewhere."""

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

MAX_LINE_BYTES = 2**30
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".bz2": bz2.open,
}


class TextFile:
    """The lines of a file, which has to stay the same while it is read.

    Args:
        path: Its path, see `as_path`. Names that end with .gz, .xz or .bz2 are
            decompressed.
        name: What it is called in errors. Defaults to None: its name without the
            folder.
        is_kept: Whether it is a temporary copy of what can't be read twice.

    Attributes:
        path, name, is_kept: As given.
    """

    def __init__(self, path: Any, name: str | None = None, is_kept: bool = False):
        self.path = path
        self.name = name or path.name
        self.is_kept = is_kept
        self._size: int | None = None  # as it lies on the disk
        self._streams: list[IO[bytes]] = []  # the one that is read, of what is packed

    def __getstate__(self) -> dict[str, Any]:
        """Another process opens it anew."""
        return {**vars(self), "_streams": []}

    def measured(self, facts: list[dict[str, Any]]) -> Iterator[tuple[int, bytes]]:
        """The lines and where they begin.

        Args:
            facts: A list to which `name`, `lines`, `bytes` and `sha256` of the text are
                added when all is read.

        Raises:
            OSError: if it can't be read.
            ValueError: if it is damaged, has a line of more than 1 GiB, or changes.
        """
        before = self.path.stat()
        self._size = before.st_size
        digest, count, size = hashlib.sha256(), 0, 0
        for offset, raw in self.raw_lines(0):
            digest.update(raw)
            count += 1
            size += len(raw)
            yield offset, raw
        self.check_size()
        if self.path.stat().st_mtime_ns != before.st_mtime_ns:
            raise ValueError(self._changed("was written to"))
        fact = {"name": self.name, "lines": count, "bytes": size}
        facts.append({**fact, "sha256": digest.hexdigest()})

    def check_size(self) -> None:
        """Refuses a file that has another size than it had at first.

        Raises:
            ValueError: if it has.
        """
        size = self.path.stat().st_size
        if size != self._size:
            what = f"had {self._size:,} bytes at first and has {size:,} now"
            raise ValueError(self._changed(what))

    def raw_lines(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """The lines with their ends from a place on, and where they begin.

        Raises:
            OSError, ValueError: see `measured`.
        """
        with self._errors_that_name():
            stream = self._stream()
            stream.seek(offset)
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                if len(raw) > MAX_LINE_BYTES:
                    raise ValueError(
                        "Text should be one sentence a line, of at most "
                        f"{MAX_LINE_BYTES:,} bytes. Received: '{self.path}' "
                        f"with a longer one at byte {offset:,}. Is it text?"
                    )
                yield offset, raw
                offset += len(raw)

    def close(self) -> None:
        """Closes what is open; it can be read again."""
        while self._streams:
            self._streams.pop().close()

    def _stream(self) -> IO[bytes]:
        """The file, kept open: to go on in a compressed one need not read it anew."""
        if not self._streams:
            stored = self.path.open("rb")
            self._streams.append(stored)
            if self.path.suffix in _OPENERS:
                self._streams.append(_OPENERS[self.path.suffix](stored, "rb"))
            elif not isinstance(stored, io.BufferedIOBase):
                # Files at addresses can't bound the length of a line by themselves.
                self._streams.append(io.BufferedReader(stored))
        return self._streams[-1]

    def _changed(self, what: str) -> str:
        return (
            f"Text should stay the same while it is read. Received: {self.name!r}, "
            f"which {what}. Give a copy of it, or start anew when it is complete"
        )

    @contextlib.contextmanager
    def _errors_that_name(self) -> Iterator[None]:
        """Turns what the decompressors raise into an error that names the file."""
        try:
            yield
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            # The errors of files have numbers or classes of their own.
            is_of_file = isinstance(error, OSError) and (
                error.errno is not None
                or type(error) not in (OSError, gzip.BadGzipFile)
            )
            if is_of_file or self.path.suffix not in _OPENERS:
                raise
            raise ValueError(
                f"'{self.path}' should be a complete {self.path.suffix} file. "
                f"Received: one that can't be read ({error}). Fetch it again"
            ) from error


def clean(raw: bytes, offset: int) -> bytes:
    """A line without its end, and without the byte order mark of the first."""
    if offset == 0:
        raw = raw.removeprefix(_BYTE_ORDER_MARK)
    return raw.removesuffix(b"\n").removesuffix(b"\r")
