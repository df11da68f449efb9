"""All formats behind one function."""

import contextlib
import dataclasses
import functools
import os
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import filelock

from keras_elmo.files import archive
from keras_elmo.presets import find_preset, home
from keras_elmo.weights.formats import allennlp, bilm_tf, preset_folder, tfhub
from keras_elmo.weights.stored_model import StoredModel

Format = tuple[Callable[[Path], bool], Callable[[Path], StoredModel]]
# In this order: a checkpoint of bilm-tf may have older weights as HDF5 beside it.
_FORMATS: tuple[Format, ...] = tuple(
    (module.recognizes, module.open_folder)
    for module in (preset_folder, tfhub, bilm_tf, allennlp)
)
HELP = (
    "a preset (its name, folder or address), the folder or archive of a TF-Hub module, "
    "of simple_elmo or of bilm-tf's training; or options.json and weights.hdf5"
)


def open_weights(
    source: str | os.PathLike | Sequence[str | os.PathLike],
) -> StoredModel:
    """Pretrained weights of any format, as users name them.

    Args:
        source: The name of a preset; the path of a preset, of a TF-Hub module, of an
            archive, of a folder of simple_elmo, of a checkpoint of bilm-tf or its
            folder; or a pair of paths, `options.json` and `weights.hdf5`.

    Raises:
        FileNotFoundError: if there is no such thing.
        ValueError: if it is broken, or of no known format.
    """
    if not isinstance(source, str | os.PathLike):
        if len(source) == 2:
            return allennlp.open_pair(*source)
        if len(source) != 1:
            raise ValueError(f"Weights should be {HELP}. Received: {list(source)}")
        (source,) = source
    path = Path(source)
    # The files of a checkpoint are named by what their names begin with.
    return _open(path if bilm_tf.recognizes(path) else find_preset(source), _FORMATS)


def open_module(module: str | os.PathLike, options: Any = None) -> StoredModel:
    """A TF-Hub module, see `tfhub.open_folder`; or its archive, address or name.

    Raises:
        FileNotFoundError, ValueError: see `open_weights`.
    """
    open_folder = functools.partial(tfhub.open_folder, options_file=options)
    # Whatever else it is, it is said to be a module: so what is wrong with it?
    anything = (lambda path: True, open_folder)
    return _open(find_preset(module), [(tfhub.recognizes, open_folder), anything])


def _open(path: Path, formats: Sequence[Format]) -> StoredModel:
    if archive.is_archive(path):
        return _open_archive(path, formats)
    for recognizes, open_folder in formats:
        for candidate in (path, *_only_folder(path)):
            if recognizes(candidate):
                return open_folder(candidate)
    raise ValueError(
        f"Weights should be {HELP}. Received: {os.fspath(path)!r}, which is none of "
        "these"
    )


def _open_archive(path: Path, formats: Sequence[Format]) -> StoredModel:
    if home() in path.parents:
        return _open(_unpacked_beside(path), formats)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="keras_elmo-"))
        unpacked = Path(folder) / "unpacked"
        archive.unpack(path, unpacked)

        def named(text: str) -> str:
            """Says where something is as users know it."""
            return text.replace(os.fspath(unpacked), os.fspath(path))

        try:
            opened = _open(unpacked, formats)
        except (ValueError, FileNotFoundError) as error:
            missing = isinstance(error, FileNotFoundError)
            kind = FileNotFoundError if missing else ValueError
            raise kind(named(str(error))) from error
        opened = dataclasses.replace(
            opened,
            origin=os.fspath(path),
            described_in=named(opened.described_in),
        )
        # Its tensors are yet to be read: the folder lives as long as it does.
        weakref.finalize(opened, stack.pop_all().close)
    return opened


def _unpacked_beside(path: Path) -> Path:
    """What was downloaded is unpacked once, and kept."""
    folder = path.with_name(f"{path.name}.unpacked")
    with filelock.FileLock(path.with_name(f".{path.name}.unpacked.lock")):
        if not folder.is_dir():
            archive.unpack(path, folder)
    return folder


def _only_folder(path: Path) -> list[Path]:
    """The one folder that archives like to wrap their content in."""
    folders = [p for p in path.iterdir() if p.is_dir()] if path.is_dir() else []
    return folders if len(folders) == 1 else []
