"""bilm-tf's vocabulary files: one word a line, in any order."""

import os
from pathlib import Path

from keras_elmo.files.word_list import read_words

_IGNORED = "!!!MAXTERMID"  # a line of the file of lm_1b that stands for no word


def vocabulary_words(path: str | os.PathLike) -> list[str]:
    """The words of a file, each at the place of its number; .gz is decompressed.

    Raises:
        FileNotFoundError, ValueError: see `read_words`.
    """
    words = [line.strip() for line in read_words(path)]
    return [word for word in words if word != _IGNORED]


def check_file(argument: str, path: str | os.PathLike) -> None:
    """Refuses the path of no file.

    Args:
        argument: What the path is called in the error.
        path: The path.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no path.
    """
    if not isinstance(path, str | os.PathLike):
        raise ValueError(
            f"`{argument}` should be the path of a file. Received: {argument}={path!r} "
            f"of type {type(path).__name__}"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"`{argument}` should be the path of a file. Received: "
            f"{argument}={os.fspath(path)!r}, which is none. Check the path"
        )
