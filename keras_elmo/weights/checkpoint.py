"""Checkpoints of TensorFlow 1: `PREFIX.index` and `PREFIX.data-00000-of-00001`."""

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_elmo.weights.checkpoint_index import FLOATS, read_index
from keras_elmo.weights.mapping import LazyArray

_INDEX = ".index"


def find_prefix(path: Path) -> Path | None:
    """What a checkpoint's files begin with: named by it, or the newest of a folder."""
    if path.name and path.with_name(path.name + _INDEX).is_file():
        return path
    if path.suffix == _INDEX and path.is_file():
        return path.with_suffix("")
    if not path.is_dir():
        return None
    found = [index for index in path.glob("*" + _INDEX) if index.is_file()]
    if len(found) == 1:
        return found[0].with_suffix("")
    try:
        state = tf.train.get_checkpoint_state(os.fspath(path))
    except (ValueError, tf.errors.OpError):  # its own file of names is broken
        return None
    # What it says of other folders is of another machine, or a trap.
    name = Path(state.model_checkpoint_path).name if state else ""
    return path / name if name and path / (name + _INDEX) in found else None


def read_arrays(prefix: Path) -> dict[str, LazyArray]:
    """Every tensor of a checkpoint by its name, yet to be read.

    Raises:
        ValueError: if the checkpoint is broken or cut short.
    """
    entries = read_index(prefix)
    try:
        reader = tf.train.load_checkpoint(os.fspath(prefix))
    except (ValueError, IndexError, tf.errors.OpError) as error:
        raise _broken(prefix, error) from error

    @functools.lru_cache(maxsize=1)  # so that no tensor is read once for each part
    def read(name: str) -> np.ndarray:
        if entries[name].dtype not in FLOATS:
            raise ValueError(
                "A checkpoint should hold floating-point weights. Received: "
                f"{os.fspath(prefix)!r} with {name} {entries[name].shape} of dtype "
                f"{entries[name].dtype.name}. Write it anew, as one of {_names(FLOATS)}"
            )
        try:
            array = reader.get_tensor(name)
        except (ValueError, IndexError, TypeError, tf.errors.OpError) as error:
            raise _broken(prefix, error, name) from error
        # bfloat16 is no type of NumPy's own.
        return array if array.dtype.kind == "f" else array.astype("float32")

    return {
        name: LazyArray(
            entry.shape,
            lambda rows, name=name: read(name)[rows],  # type: ignore[misc]
        )
        for name, entry in entries.items()
    }


def write_arrays(prefix: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes a checkpoint that TensorFlow 1 reads too."""
    names = list(arrays)
    tf.raw_ops.SaveV2(
        prefix=os.fspath(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[arrays[name] for name in names],
    )


def _names(dtypes: Iterable[tf.DType]) -> list[str]:
    return sorted(dtype.name for dtype in dtypes)


def _broken(prefix: Path, error: Exception, name: str = "") -> ValueError:
    place = f"{os.fspath(prefix)!r}" + (f", tensor {name}" if name else "")
    return ValueError(
        f"A checkpoint should be complete. Received: {place}, which could not be read "
        f"({error}). Compare the sizes of its files with the original's and fetch them "
        "again."
    )
