"""Outputs that should be the same, byte for byte."""

from pathlib import Path


def bytes_of(*paths):
    """The content of files, and of all files in folders, by their names."""
    files = {}
    for path in map(Path, paths):
        inside = path.rglob("*") if path.is_dir() else [path]
        files.update(
            {
                str(f.relative_to(path.parent)): f.read_bytes()
                for f in inside
                if f.is_file()
            }
        )
    return files


def contents(path):
    """The content of all files in a folder, or at an address, by their names."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.glob("**/*")
        if file.is_file()
    }
