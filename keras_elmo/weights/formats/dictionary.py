"""Dictionaries of ELMoForManyLangs: `char.dic` and `word.dic`."""

import os
from pathlib import Path

MAX_BYTES = 2**28  # 268 MB; the published ones have some megabytes
_IDEOGRAPHIC_SPACE = "\u3000"


def read_dictionary(path: Path) -> list[str]:
    """The entries in the order of their numbers.

    A line is an entry, a tab and its number. White space around it is lost there, so a
    number alone is that of the ideographic space.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such file, or the numbers are not 0, 1, 2, ...
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"A model of ELMoForManyLangs should have a {path.name}. Received: "
            f"{os.fspath(path.parent)!r}, which has none. Unpack the whole archive"
        )
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(
            f"A dictionary should have at most {MAX_BYTES:,} bytes. Received: "
            f"{os.fspath(path)!r} of {path.stat().st_size:,}. Check that it is one"
        )
    numbers: dict[str, int] = {}
    try:
        # `splitlines` would split at rare separators too, which may be entries.
        for line in path.read_text(encoding="utf-8").split("\n"):
            fields = line.strip().split("\t")
            if fields == [""]:
                continue
            *entry, number = fields
            name = entry[0] if entry else _IDEOGRAPHIC_SPACE
            if len(entry) > 1 or name in numbers or not number.isdecimal():
                raise ValueError(f"the line {line[:100]!r}, or an entry twice")
            numbers[name] = int(number)
        if sorted(numbers.values()) != list(range(len(numbers))) or not numbers:
            raise ValueError(f"other numbers than those of its {len(numbers)} lines")
    # The encoding, and `int` for very long numbers, raise it too.
    except ValueError as error:
        raise ValueError(
            "A dictionary should hold lines of an entry, a tab and its number, from 0 "
            f"on, in UTF-8. Received: {os.fspath(path)!r} with {error}. Fetch it again"
        ) from error
    return sorted(numbers, key=numbers.__getitem__)
