"""The presets that come with the package, each a folder beside this file."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of the package's own presets."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/config.json"))


def find_preset(name: str | os.PathLike) -> Path:
    """The folder of one of the package's own presets, or of the user's.

    Raises:
        FileNotFoundError: if there is neither.
    """
    if isinstance(name, str) and name in names():
        return _FOLDER / name
    if Path(name).exists():
        return Path(name)
    raise FileNotFoundError(
        f"The preset should be the name of one that comes with the package, {names()}, "
        f"or the path of a folder. Received: {os.fspath(name)!r}, which is neither"
    )
