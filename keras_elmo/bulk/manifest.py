"""What an output was made of and consists of, as JSON without times and places."""

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_elmo.bulk.formats import FORMATS, Layout
from keras_elmo.bulk.layers import LAYERS, Layers
from keras_elmo.files.strict_json import read_object, write_object

# A damaged number can be as large, but no vector is as long.
_TOO_LARGE = 2**24


@dataclasses.dataclass(frozen=True)
class Shard:
    """The unit of work: lines that follow each other.

    Attributes:
        first_line: Number of its first line, from 0 on, in all of the text.
        lines: How many lines it has.
        tokens: How many tokens these have.
        text: SHA-256 of the lines, each with a line feed.
        vectors: SHA-256 of the vectors, where all shards lie in one file; or "".
        files: By name, `bytes` and `sha256` of the files that hold it. Empty as long as
            it is not computed.
    """

    first_line: int
    lines: int
    tokens: int
    text: str
    vectors: str = ""
    files: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    @property
    def identity(self) -> tuple[int, int, int, str]:
        """What tells it from others, with checksums or without."""
        return self.first_line, self.lines, self.tokens, self.text


@dataclasses.dataclass(frozen=True)
class Manifest:
    """All that decides the bytes of an output, and their checksums.

    Attributes:
        run: What a run has to go on with: weights, options, versions.
        text: Of each input, `name`, `lines`, `bytes` and `sha256`.
        row_shape: Shape of the vectors of a token, or of a sentence for the layers
            `"default"`.
        shards: In the order of the text.
        files: As those of a `Shard`, of what holds all shards.
    """

    run: dict[str, Any]
    text: list[dict[str, Any]]
    row_shape: tuple[int, ...]
    shards: list[Shard]
    files: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    @property
    def lines(self) -> int:
        return sum(shard.lines for shard in self.shards)

    @property
    def tokens(self) -> int:
        return sum(shard.tokens for shard in self.shards)

    def values(self) -> dict[str, Any]:
        """What has to be the same when a run goes on, by names that users know."""
        files = {
            f"text {number} ({file['name']})": file["sha256"]
            for number, file in enumerate(self.text, start=1)
        }
        return {**self.run, **files}

    def layout(self, number: int) -> Layout:
        """How a shard is laid out."""
        shard, layers = self.shards[number], self._layers
        return Layout(
            first_line=shard.first_line,
            lines=shard.lines,
            rows=layers.rows(shard.lines, shard.tokens),
            row_shape=self.row_shape,
            columns=layers.columns,
            dtype=self.run["dtype"],
        )

    def with_checksums(self, before: "Manifest") -> "Manifest":
        """This manifest, with the checksums that another has of the same shards."""
        known = {shard.identity: shard for shard in before.shards}
        shards = [known.get(shard.identity, shard) for shard in self.shards]
        return dataclasses.replace(self, shards=shards, files=before.files)

    @property
    def _layers(self) -> Layers:
        num_layers = self.row_shape[0] - 1 if len(self.row_shape) == 2 else 1
        return Layers(self.run["layers"], num_layers, self.row_shape[-1] // 2)

    def write(self, path: Any) -> None:
        """Writes it, whole or not at all."""
        write_object(path, {**dataclasses.asdict(self), "tokens": self.tokens})

    @classmethod
    def read(cls, path: Any) -> "Manifest":
        """Reads what `write` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged.
        """
        content = read_object(path)
        try:
            manifest = cls(
                run=_checked_run(content["run"]),
                text=[dict(file) for file in content["text"]],
                row_shape=tuple(map(_size, content["row_shape"])),
                shards=[Shard(**shard) for shard in content["shards"]],
                files=dict(content["files"]),
            )
            is_all = manifest.run["layers"] == "all"
            is_size = all(0 < size < _TOO_LARGE for size in manifest.row_shape)
            if len(manifest.row_shape) != 1 + is_all or not is_size:
                raise ValueError(f"vectors of {manifest.row_shape}")
            line = 0
            for shard in manifest.shards:
                if _size(shard.first_line) != line:
                    raise ValueError("its lines do not follow each other")
                line += _size(shard.lines)
                _size(shard.tokens)
                check_files(shard.files)
            check_files(manifest.files)
            if content["tokens"] != manifest.tokens:
                raise ValueError("its tokens do not add up")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"'{path}' should be a manifest of `keras-elmo embed`. "
                f"Received: one that can't be understood ({error!r}). Embed anew"
            ) from error
        return manifest


def checksums(paths: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """`bytes` and `sha256` of files, by their names."""
    return {path.name: checksum(path) for path in paths}


def checksum(path: Any) -> dict[str, Any]:
    """`bytes` and `sha256` of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def text_hash(lines: Iterable[bytes]) -> str:
    """SHA-256 of lines, each with a line feed."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**62:
        raise ValueError(f"{value!r} is no size")
    return value


def _checked_run(run: dict[str, Any]) -> dict[str, Any]:
    known = {"layers": LAYERS, "format": tuple(FORMATS)}
    for name, values in known.items():
        if run[name] not in values:
            raise ValueError(f"{name} of {run[name]!r}")
    if run["dtype"] not in FORMATS[run["format"]].dtypes:
        raise ValueError(f"dtype of {run['dtype']!r}")
    return dict(run)


def check_files(files: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """These checksums, if that is what they are.

    Raises:
        ValueError: if they are something else.
    """
    for name, facts in files.items():
        is_right = isinstance(facts, dict) and isinstance(facts.get("sha256"), str)
        if Path(name).name != name or not is_right:
            raise ValueError(f"{name!r}: {facts!r} is no checksum of a file")
        _size(facts.get("bytes"))
    return files
