"""Text files of one word a line, maybe compressed."""

import gzip
import os
import zlib
from pathlib import Path

# The largest published vocabularies take 10 MB.
MAX_UNPACKED_BYTES = 2**27


def read_words(path: str | os.PathLike) -> list[str]:
    """The lines of a text file, which is decompressed if its name ends with .gz.

    Bytes that are no UTF-8 are surrogates (`errors="surrogateescape"`).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is a .gz that is broken, or would become absurdly large.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "words.txt.gz"
    >>> _ = path.write_bytes(gzip.compress(b"the\\ncat\\n"))
    >>> read_words(path)
    ['the', 'cat']
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            "The vocabulary should be a text file of one word a line. "
            f"Received: {os.fspath(path)!r}, which is not a file. Check the path."
        )
    is_compressed = os.fspath(path).endswith(".gz")
    content = _decompressed(path) if is_compressed else Path(path).read_bytes()
    text = content.removesuffix(b"\n").decode("utf-8", errors="surrogateescape")
    return text.split("\n")


def _decompressed(path: str | os.PathLike) -> bytes:
    try:
        with gzip.open(path) as file:
            # A few bytes may stand for gigabytes, so no more than this is unpacked.
            content = file.read(MAX_UNPACKED_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            "The vocabulary should be a complete .gz file. Received: "
            f"{os.fspath(path)!r}, which can't be read ({error}). Fetch it again"
        ) from error
    if len(content) > MAX_UNPACKED_BYTES:
        raise ValueError(
            f"The vocabulary should have at most {MAX_UNPACKED_BYTES:,} bytes once "
            f"decompressed. Received: {os.fspath(path)!r}, which has more. Is it a "
            "vocabulary?"
        )
    return content
