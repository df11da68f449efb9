"""Nothing that exists is replaced unless somebody asks for it."""

import os
from pathlib import Path


def check_file(argument: str, path: str | os.PathLike, overwrite: bool) -> None:
    """Refuses to write a file where something is.

    Args:
        argument: What the path is called in the error.
        path: The file to write.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        FileExistsError: if there is a file, without `overwrite`.
        IsADirectoryError: if there is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(
            f"`{argument}` should be the path of a file to write. Received: "
            f"{argument}={os.fspath(path)!r}, which is a folder. Give another name"
        )
    if target.exists() and not overwrite:
        raise FileExistsError(_message(argument, path))


def check_folder(
    folder: str | os.PathLike, marker: str, kind: str, overwrite: bool
) -> None:
    """Refuses to write a folder where something is.

    Args:
        folder: The folder to write.
        marker: Name of a file that every folder of its kind holds.
        kind: What such a folder is called in the error.
        overwrite: Whether a folder of this kind may be replaced.

    Raises:
        FileExistsError: if there is one of its kind, without `overwrite`.
        ValueError: if there is something else.
    """
    target = Path(folder)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / marker).is_file():
        raise ValueError(
            f"`folder` should be new, empty, or {kind} to replace. Received: "
            f"folder={os.fspath(folder)!r}, which holds something else. "
            "Choose another folder"
        )
    if not overwrite:
        raise FileExistsError(_message("folder", folder))


def _message(argument: str, path: str | os.PathLike) -> str:
    return (
        f"`{argument}` should be the path of something new. Received: "
        f"{argument}={os.fspath(path)!r}, which exists. Nothing was written. Give "
        "another name; or replace it: with `overwrite=True`, or `--force` in a command"
    )
