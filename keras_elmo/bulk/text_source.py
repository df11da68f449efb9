"""Lines of text files, which are read twice and have to be the same both times."""

import contextlib
import copy
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from keras_elmo.bulk.text_file import TextFile, clean
from keras_elmo.files.find_files import find_files
from keras_elmo.files.paths import is_address

STDIN = "-"
# A part is minutes of work for the largest models: 100,000 tokens or so.
_BYTES_PER_PART = 2**19


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


class TextSource:
    """Text files, one sentence a line, as one text.

    `parts` reads all of it and `read` some of it again. Lines end with `\\n` or
    `\\r\\n`; a byte order mark is no part of the first. What can't be read twice, such
    as standard input, is kept in a temporary file while the source is open.

    Args:
        inputs: Paths, addresses such as `s3://bucket/name`, patterns of either, and
            `"-"` for standard input. Names that end with .gz, .xz or .bz2 are
            decompressed. The files of a pattern come in the order of their names.

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
        self._last: TextFile | None = None
        self.facts: list[dict[str, Any]] = []

    def __getstate__(self) -> dict[str, Any]:
        """Another process opens the files anew, wherever it is."""
        files = [copy.copy(file) for file in self._files]
        for file in files:
            if not is_address(file.path):
                file.path = file.path.absolute()
        return {"_files": files, "facts": self.facts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _stack=contextlib.ExitStack(), _last=None)

    @property
    def is_kept(self) -> bool:
        """Whether some of it is a temporary file, which vanishes with this object."""
        return any(file.is_kept for file in self._files)

    def __enter__(self) -> "TextSource":
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files:
            file.close()
        self._stack.close()

    @property
    def paths(self) -> list[Any]:
        """The files that are read."""
        return [file.path for file in self._files]

    @property
    def file_names(self) -> list[str]:
        """What the files are called: their names, or their paths if two have one."""
        names = [file.name for file in self._files]
        if len(set(names)) < len(names):
            names = [str(file.path) for file in self._files]
        return names

    def lines_of(self, file: int) -> Iterator[bytes]:
        """The lines of one file, which may be read but once.

        Raises:
            OSError, ValueError: see `parts`.
        """
        for offset, raw in self._open(file).measured(self.facts):
            yield clean(raw, offset)

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
            file = self._open(index)
            for offset, raw in file.measured(self.facts):
                if not lines:
                    start = index, offset
                lines.append(clean(raw, offset))
                size += len(raw)
                is_full = size >= _BYTES_PER_PART
                if lines_per_part is not None:
                    is_full = len(lines) == lines_per_part
                if is_full:
                    file.check_size()  # or one that grows would never end
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
            text = self._open(index)
            text.check_size()
            for place, raw in text.raw_lines(offset):
                lines.append(clean(raw, place))
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

    def _open(self, index: int) -> TextFile:
        """A file, while the one that was read before is closed."""
        file = self._files[index]
        if self._last not in (None, file):
            self._last.close()
        self._last = file
        return file

    def _file(self, path: Any) -> TextFile:
        if str(path) == STDIN:
            return TextFile(self._keep(sys.stdin.buffer), "standard input", True)
        if path.exists() and not path.is_file():  # a pipe, which is read but once
            with path.open("rb") as stream:
                return TextFile(self._keep(stream), path.name, True)
        return TextFile(path)

    def _keep(self, stream: IO[bytes]) -> Path:
        kept = self._stack.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(stream, kept, 2**20)
        kept.flush()
        return Path(kept.name)


def _find(inputs: str | os.PathLike | Sequence[str | os.PathLike]) -> list[Any]:
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    names = [os.fspath(name) for name in inputs]
    if not names or names.count(STDIN) > 1:
        raise ValueError(
            "`inputs` should be text files, and standard input at most once. Received: "
            f"inputs={names}"
        )
    found = ([STDIN] if name == STDIN else find_files(name, "inputs") for name in names)
    return [path for paths in found for path in paths]
