"""Files of one sentence, or one word, a line."""

from pathlib import Path


def read_lines(path: Path) -> list[str]:
    """The lines that are not empty.

    Raises:
        ValueError: if there are none, or the file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} should be UTF-8. Received: {error}") from error
    lines = [line for line in text.split("\n") if line]
    if not lines:
        raise ValueError(f"{path} should hold at least one line. Received: none")
    return lines
