"""Where the parts of an output lie, and whether it may be written."""

import contextlib
import dataclasses
import glob
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_elmo.arguments import check_choice
from keras_elmo.bulk.formats import FORMATS, Layout, ShardReader
from keras_elmo.bulk.manifest import Manifest, Shard, check_files, checksum, checksums
from keras_elmo.files.locks import lock_beside, only_writer
from keras_elmo.files.paths import (
    as_path,
    fetch_copy,
    is_address,
    remove_tree,
)
from keras_elmo.files.strict_json import read_object, write_object

_SUFFIXES = {".hdf5": "hdf5", ".h5": "hdf5", ".parquet": "parquet"}


class Output:
    """The files of one output.

    A format of shards has them in the folder `path`, with `_manifest.json`. A format
    of one file has that at `path`, `NAME.manifest.json` beside it, and its shards in
    the folder `NAME.parts` until all are there. While work goes on, the folder of the
    shards holds `_plan.json`, a manifest without checksums, and in `_done` the
    checksums of each shard that is there. Readers of Parquet skip these names.

    At an address, where files can't be renamed, a shard that is not in `_done` does
    not count, and there are no locks: who finishes second writes the same once more.

    Args:
        path: What the user named: a path, or an address such as `s3://bucket/folder`.
        format: One of `FORMATS`. Defaults to None: by the name, `"hdf5"` for .hdf5 and
            .h5, `"parquet"` for .parquet, or else `"npy"`.

    Raises:
        ValueError: for another format, or one of one file at an address.
    """

    def __init__(self, path: Any, format: str | None = None):
        self.path = as_path(path)
        self.is_elsewhere = is_address(path)
        if format is None:
            format = _SUFFIXES.get(self.path.suffix, "npy")
        self.format_name = check_choice("format", format, tuple(FORMATS))
        self.format = FORMATS[format]
        if self.is_elsewhere and self.format.assemble is not None:
            raise ValueError(
                "`format` should be parquet or npy at an address, where no file can be "
                f"added to. Received: format={format!r} and {str(path)!r}. Choose one"
            )
        absolute = self.path if self.is_elsewhere else self.path.absolute()
        beside = absolute.with_name
        if self.format.assemble is None:
            self.folder = self.path
            self.manifest_path = self.path / "_manifest.json"
        else:
            self.folder = beside(f"{self.path.name}.parts")
            self.manifest_path = beside(f"{self.path.name}.manifest.json")
        self.plan_path = self.folder / "_plan.json"
        self.done_folder = self.folder / "_done"
        self._lock = lock_beside(absolute) if not self.is_elsewhere else None

    @classmethod
    def at(cls, path: Any) -> "Output":
        """What is at a path, be it of one file or of shards of any format."""
        is_folder = is_address(path) or as_path(path).is_dir()
        return cls(path, "npy" if is_folder else "hdf5")

    def __reduce__(self) -> Any:
        """Another process may be in another folder."""
        path = self.path if self.is_elsewhere else self.path.absolute()
        return Output, (str(path), self.format_name)

    def shard_path(self, number: int) -> Any:
        """Where a shard lies; its name is a function of its number."""
        return self.folder / f"part-{number:06d}{self.format.suffix}"

    def existing(self) -> Manifest | None:
        """The plan of a run that is under way, or the manifest of one that ended.

        Raises:
            ValueError: if it is damaged.
        """
        for path in (self.plan_path, self.manifest_path):
            if path.is_file():
                return Manifest.read(path)
        return None

    def check_new(self, resume: bool, overwrite: bool) -> None:
        """Refuses what would harm something that is there, or can't be written.

        Raises:
            FileExistsError: if something is there that should not be touched.
            OSError: if the folder can't be written to.
        """
        if self.is_begun():
            is_refused, next_step = not (resume or overwrite), "Go on with it by "
            next_step += "`--resume`, replace it by `--overwrite`, or give another name"
        else:
            is_file = self.format.assemble is not None and self.path.is_file()
            is_refused = self._holds_something() and not (is_file and overwrite)
            next_step = "It is no output of this command; give another name"
            if is_file:
                next_step += ", or replace it by `--overwrite`"
        if is_refused:
            raise FileExistsError(
                "`output` should be the path of something new. Received: "
                f"output='{self.path}', which exists. Nothing was written. "
                f"{next_step}"
            )
        # To try is the one sure way to know; an error names a path in the folder.
        if self.is_elsewhere:
            (self.path / "_trial").write_bytes(b"")
            (self.path / "_trial").unlink()
            return
        with tempfile.TemporaryDirectory(dir=self.parent):
            pass

    def _holds_something(self) -> bool:
        """Whether there is more than what a run leaves that is killed at its start."""
        if not self.path.is_dir():
            return self.path.exists()
        return any(not path.name.startswith((".", "_")) for path in self.path.iterdir())

    @property
    def parent(self) -> Path:
        """The nearest folder that is there already, or where shards wait for upload."""
        if self.is_elsewhere:
            return Path(tempfile.gettempdir())
        folder = self.folder.absolute()
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return folder

    def remove(self) -> None:
        """Deletes what this class names, but the one file, which will be replaced."""
        # Manifest and plan come last, because they tell the next run, if this one is
        # killed, that it may replace what is left.
        for path in self.folder.glob("part-*"):
            remove_tree(path) if path.is_dir() else path.unlink()
        self.remove_traces()
        self.manifest_path.unlink(missing_ok=True)
        self.plan_path.unlink(missing_ok=True)

    def remove_traces(self) -> None:
        """Deletes what is of use only while work goes on."""
        remove_tree(self.done_folder)
        self.remove_scratch()

    def remove_scratch(self) -> None:
        """Deletes what killed runs left half written, see `replacing`."""
        if self.is_elsewhere:  # where nothing is half written
            return
        for path in (self.path, self.manifest_path, self.plan_path):
            for scratch in path.parent.glob(f".{glob.escape(path.name)}-????????"):
                shutil.rmtree(scratch, ignore_errors=True)
        for scratch in self.folder.glob(".part-*-????????"):
            shutil.rmtree(scratch, ignore_errors=True)

    def record(self, number: int, files: dict[str, dict[str, Any]]) -> None:
        """Records the checksums of a shard that is there."""
        write_object(self._done_path(number), files)

    def recorded(self, number: int, shard: Shard) -> Shard | None:
        """A shard with its checksums, or None if it is not there.

        Args:
            number: Its number.
            shard: What else is known of it, maybe checksums of an earlier manifest.
        """
        path = self._done_path(number)
        if path.is_file():
            # It is embedded again then, unless another process finished meanwhile.
            with contextlib.suppress(ValueError, FileNotFoundError):
                shard = dataclasses.replace(shard, files=check_files(read_object(path)))
        sizes = {
            path.name: path.stat().st_size
            for path in self.format.files(self.shard_path(number))
            if path.is_file()
        }
        expected = {name: facts["bytes"] for name, facts in shard.files.items()}
        return shard if sizes and sizes == expected else None

    def is_begun(self) -> bool:
        """Whether a run is under way, or one ended."""
        return self.manifest_path.is_file() or self.plan_path.is_file()

    def has_ended(self) -> bool:
        """Whether a run wrote the manifest, and none has begun since."""
        return self.manifest_path.is_file() and not self.plan_path.is_file()

    def discard(self, number: int) -> None:
        """Deletes a shard, which is damaged if it is there."""
        path = self.shard_path(number)
        remove_tree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def is_complete(self, manifest: Manifest) -> bool:
        """Whether the one file is there as the manifest says, if there is to be one."""
        if not (self.has_ended() and manifest.files and self.path.is_file()):
            return False
        return [checksum(self.path)] == list(manifest.files.values())

    def check_apart_from(self, paths: Iterable[Any]) -> None:
        """Refuses to write where the text is.

        Raises:
            ValueError: if one of these paths is, or is in, the output.
        """
        for path in paths:
            if self.path.resolve() in (path.resolve(), *path.resolve().parents):
                raise ValueError(
                    "`output` should not hold the text. Received: "
                    f"output='{self.path}' and '{path}' among "
                    "the inputs. Choose another output"
                )

    def lock(self) -> contextlib.AbstractContextManager:
        """Has one process at a time do something, where there are locks."""
        return self._lock or contextlib.nullcontext()

    def only_writer(self) -> contextlib.AbstractContextManager:
        """Refuses to write where another process has the lock, where there are locks.

        Raises:
            BlockingIOError: if another has it.
        """
        if self._lock is None:
            return contextlib.nullcontext()
        return only_writer(self._lock, self.path, "output")

    def remove_lock(self) -> None:
        """Deletes the file of the lock, but not from under an `only_writer`."""
        if self._lock is not None and not self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)

    def open(self, number: int, layout: Layout) -> ShardReader:
        """Opens a shard for reading, or a copy of it that vanishes with the reader."""
        path = self.shard_path(number)
        if not self.is_elsewhere:
            return self.format.open(path, layout)
        folder = tempfile.TemporaryDirectory()  # noqa: SIM115
        reader = self.format.open(fetch_copy(path, Path(folder.name)), layout)
        weakref.finalize(reader, folder.cleanup)
        return reader

    def is_intact(self, number: int, shard: Shard) -> bool:
        """Whether a shard's files are those of its checksums."""
        paths = self.format.files(self.shard_path(number))
        return checksums(path for path in paths if path.is_file()) == shard.files

    def _done_path(self, number: int) -> Any:
        return self.done_folder / f"{number:06d}.json"
