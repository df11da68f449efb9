"""What of an output is missing or damaged."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_elmo.bulk.formats import FORMATS
from keras_elmo.bulk.formats.hdf5 import Hdf5File
from keras_elmo.bulk.manifest import Manifest, Shard, checksum
from keras_elmo.bulk.output import Output
from keras_elmo.files.paths import as_path, reaching


def check(path: Any) -> list[str]:
    """Reads all of an output, and compares it with its manifest.

    Args:
        path: What `keras-elmo embed` or `embed_corpus` wrote.

    Returns:
        What is missing or damaged, a line each: an empty list if it is as it was
        written.

    Raises:
        FileNotFoundError: if there is no such thing.
        OSError: if an address can't be reached.

    Example:

    >>> import tempfile
    >>> check(tempfile.mkdtemp())  # doctest: +ELLIPSIS
    ['_manifest.json is missing']
    """
    with reaching(path):
        return _check(as_path(path))


def _check(path: Any) -> list[str]:
    output = Output.at(path)
    if not (path.exists() or output.is_begun()):
        raise FileNotFoundError(2, "No such output", str(path))
    try:
        manifest = output.existing()
    except ValueError as error:
        return [str(error)]
    if manifest is None:
        return [f"{output.manifest_path.name} is missing"]
    output = Output(path, manifest.run["format"])
    if output.plan_path.is_file():
        return list(_check_plan(output, manifest))
    if FORMATS[manifest.run["format"]].assemble:
        return list(_check_file(path, manifest))
    problems = [
        problem
        for number, shard in enumerate(manifest.shards)
        for problem in _check_shard(output, number, shard)
    ]
    expected = {output.shard_path(number) for number in range(len(manifest.shards))}
    others = sorted({*output.folder.glob("part-*")} - expected)
    return problems + [f"{other.name} does not belong to it" for other in others]


def _check_plan(output: Output, manifest: Manifest) -> Iterator[str]:
    yield "it is not complete: go on with it by --resume"
    for number, shard in enumerate(manifest.shards):
        recorded = output.recorded(number, shard)
        if recorded is None:
            yield f"{output.shard_path(number).name} is missing"
        else:
            yield from _check_shard(output, number, recorded)


def _check_shard(output: Output, number: int, shard: Shard) -> Iterator[str]:
    folder = output.folder
    for path in output.format.files(output.shard_path(number)):
        if not path.is_file():
            yield f"{path.relative_to(folder)} is missing{_lines(shard)}"
        elif checksum(path) != shard.files.get(path.name):
            yield f"{path.relative_to(folder)} is damaged{_lines(shard)}"


def _check_file(path: Path, manifest: Manifest) -> Iterator[str]:
    if not path.is_file():
        yield f"{path.name} is missing"
        return
    if [checksum(path)] == list(manifest.files.values()):
        return
    yield f"{path.name} is damaged"
    try:
        file = Hdf5File(path)
    except ValueError as error:
        yield str(error)
        return
    with contextlib.closing(file):
        for shard in manifest.shards:
            try:
                found = file.content_hash(shard.first_line, shard.lines)
            except ValueError as error:
                yield str(error)
                found = None
            if found != shard.vectors:
                yield f"vectors are missing or damaged{_lines(shard)}"


def _lines(shard: Shard) -> str:
    return f": lines {shard.first_line} to {shard.first_line + shard.lines - 1}"
