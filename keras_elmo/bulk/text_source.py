"""Lines of text files, which are read twice and have to be the same both times."""

import bz2
import contextlib
import glob
import gzip
import hashlib
import lzma
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

STDIN = "-"
# A part is minutes of work for the largest models: 100,000 tokens or so.
_BYTES_PER_PART = 2**19
MAX_LINE_BYTES = 2**30
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".bz2": bz2.open,
}


class Part(NamedTuple):
    """Lines that follow each other, maybe over several files.

    Attributes:
        file: Number of the file that the first line is in.
        offset: Where it begins there, in bytes of the text.
        lines: The lines without their ends.
    """

    file: int
    offset: int
    lines: list[bytes]


class _File(NamedTuple):
    name: str  # for errors and the manifest
    path: Path


class TextSource:
    """Text files, one sentence a line, as one text.

    `parts` reads all of it and `read` some of it again. Lines end with `\\n` or
    `\\r\\n`; a byte order mark is no part of the first. What can't be read twice, such
    as standard input, is kept in a temporary file while the source is open.

    Args:
        inputs: Paths, glob patterns, and `"-"` for standard input. Names that end with
            .gz, .xz or .bz2 are decompressed. The files of a pattern come in the order
            of their names.

    Raises:
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if one is a folder.
        ValueError: if there are no inputs, or standard input is there twice.

    Example:

    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("the cat\\n\\ndogs")
    >>> with TextSource([path]) as source:
    ...     (part,) = source.parts()
    ...     part.lines, source.read(part.file, part.offset, 2)
    ([b'the cat', b'', b'dogs'], [b'the cat', b''])
    """

    def __init__(self, inputs: str | os.PathLike | Sequence[str | os.PathLike]):
        self._stack = contextlib.ExitStack()
        self._files = [self._file(path) for path in _find(inputs)]
        self._sizes: dict[int, int] = {}  # bytes of each file as it lies on the disk
        self._open: tuple[int, IO[bytes]] | None = None
        self.facts: list[dict[str, Any]] = []

    def __enter__(self) -> "TextSource":
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()
        self._stack.close()

    @property
    def paths(self) -> list[Path]:
        """The files that are read."""
        return [file.path for file in self._files]

    @property
    def file_names(self) -> list[str]:
        """What the files are called: their names, or their paths if two have one."""
        names = [file.name for file in self._files]
        if len(set(names)) < len(names):
            names = [os.fspath(file.path) for file in self._files]
        return names

    def lines_of(self, file: int) -> Iterator[bytes]:
        """The lines of one file, which may be read but once.

        Raises:
            OSError, ValueError: see `parts`.
        """
        for offset, raw in self._measured(file):
            yield _clean(raw, offset)

    def parts(self, lines_per_part: int | None = None) -> Iterator[Part]:
        """Reads all of the text, and fills `facts`.

        Each of the facts is of one file: its `name` without the folder, its number of
        `lines`, and the `bytes` and `sha256` of its text.

        Args:
            lines_per_part: Defaults to None: as many as make 512 KiB of text.

        Raises:
            OSError: if a file can't be read.
            ValueError: if a compressed file is damaged, a line is longer than 1 GiB,
                or a file is written to meanwhile.
        """
        self.facts = []
        lines: list[bytes] = []
        start, size = (0, 0), 0
        for index in range(len(self._files)):
            for offset, raw in self._measured(index):
                if not lines:
                    start = index, offset
                lines.append(_clean(raw, offset))
                size += len(raw)
                is_full = size >= _BYTES_PER_PART
                if lines_per_part is not None:
                    is_full = len(lines) == lines_per_part
                if is_full:
                    self._check_size(index)  # or one that grows would never end
                    yield Part(*start, lines)
                    lines, size = [], 0
        if lines:
            yield Part(*start, lines)

    def read(self, file: int, offset: int, count: int) -> list[bytes]:
        """So many lines from a place that a `Part` tells, as `parts` read them.

        There are fewer if the text ends before. Reading forward is quick also in
        compressed files.

        Raises:
            OSError, ValueError: see `parts`; also if a file has another size by now.
        """
        lines: list[bytes] = []
        for index in range(file, len(self._files)):
            if len(lines) == count:
                break
            self._check_size(index)
            for place, raw in self._raw_lines(index, offset):
                lines.append(_clean(raw, place))
                if len(lines) == count:
                    break
            offset = 0
        return lines

    def names(self, file: int, count: int) -> str:
        """The files of which `read` takes so many lines, for an error."""
        names = []
        for fact in self.facts[file:]:
            names.append(fact["name"])
            count -= fact["lines"]
            if count <= 0:
                break
        return ", ".join(names)

    def _file(self, path: Path) -> _File:
        if str(path) == STDIN:
            return _File("standard input", self._keep(sys.stdin.buffer))
        if path.is_dir():
            raise IsADirectoryError(
                "`inputs` should be text files. Received: "
                f"{os.fspath(path)!r}, which is a folder. Give '{path}/*'"
            )
        if path.exists() and not path.is_file():  # a pipe, which is read but once
            with path.open("rb") as stream:
                return _File(path.name, self._keep(stream))
        return _File(path.name, path)

    def _keep(self, stream: IO[bytes]) -> Path:
        kept = self._stack.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(stream, kept, 2**20)
        kept.flush()
        return Path(kept.name)

    def _measured(self, index: int) -> Iterator[tuple[int, bytes]]:
        """The lines of one file and where they begin, recorded when all are read."""
        before = self._files[index].path.stat()
        self._sizes[index] = before.st_size
        digest, count, size = hashlib.sha256(), 0, 0
        for offset, raw in self._raw_lines(index, 0):
            digest.update(raw)
            count += 1
            size += len(raw)
            yield offset, raw
        self._check_size(index)
        if self._files[index].path.stat().st_mtime_ns != before.st_mtime_ns:
            raise ValueError(_changed(self._files[index], "was written to"))
        fact = {"name": self._files[index].name, "lines": count, "bytes": size}
        self.facts.append({**fact, "sha256": digest.hexdigest()})

    def _check_size(self, index: int) -> None:
        size, before = self._files[index].path.stat().st_size, self._sizes[index]
        if size != before:
            what = f"had {before:,} bytes at first and has {size:,} now"
            raise ValueError(_changed(self._files[index], what))

    def _raw_lines(self, index: int, offset: int) -> Iterator[tuple[int, bytes]]:
        file = self._files[index]
        with _errors_that_name(file):
            stream = self._stream(index)
            stream.seek(offset)
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                if len(raw) > MAX_LINE_BYTES:
                    raise ValueError(
                        "Text should be one sentence a line, of at most "
                        f"{MAX_LINE_BYTES:,} bytes. Received: {os.fspath(file.path)!r} "
                        f"with a longer one at byte {offset:,}. Is it text?"
                    )
                yield offset, raw
                offset += len(raw)

    def _stream(self, index: int) -> IO[bytes]:
        """The file, kept open: to go on in a compressed one need not read it anew."""
        if self._open is None or self._open[0] != index:
            self._close()
            path = self._files[index].path
            self._open = index, _OPENERS.get(path.suffix, open)(path, "rb")
        return self._open[1]

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _find(inputs: str | os.PathLike | Sequence[str | os.PathLike]) -> list[Path]:
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    names = [os.fspath(name) for name in inputs]
    if not names or names.count(STDIN) > 1:
        raise ValueError(
            "`inputs` should be text files, and standard input at most once. Received: "
            f"inputs={names}"
        )
    paths: list[Path] = []
    for name in names:
        is_plain = name == STDIN or os.path.exists(name)
        found = [name] if is_plain else sorted(glob.glob(name, recursive=True))
        # A pattern may match folders, which nobody means; a name may not.
        paths += [Path(file) for file in found if is_plain or not os.path.isdir(file)]
        if not found:
            raise FileNotFoundError(
                "`inputs` should be files, or patterns that match files. Received: "
                f"{name!r}, which is none and matches none"
            )
    return paths


def _clean(raw: bytes, offset: int) -> bytes:
    if offset == 0:
        raw = raw.removeprefix(_BYTE_ORDER_MARK)
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _changed(file: _File, what: str) -> str:
    return (
        f"Text should stay the same while it is read. Received: {file.name!r}, which "
        f"{what}. Give a copy of it, or start anew when it is complete"
    )


@contextlib.contextmanager
def _errors_that_name(file: _File) -> Iterator[None]:
    """Turns what the decompressors raise into an error that names the file."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            f"{os.fspath(file.path)!r} should be a complete {file.path.suffix} file. "
            f"Received: one that can't be read ({error}). Fetch it again"
        ) from error
