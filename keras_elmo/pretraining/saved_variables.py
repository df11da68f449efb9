"""Variables in a file, to go on from after an interruption."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.files.atomic import replacing
from keras_elmo.weights.containers import npz


def save_variables(path: Path, variables: Mapping[str, Any]) -> None:
    """Writes variables by name, whole or not at all.

    Raises:
        OSError: if the file can't be written.
    """
    arrays = {name: variable.numpy() for name, variable in variables.items()}
    # NumPy's format, because the HDF5 library crashes when the disk is full.
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def load_variables(path: Path, variables: Mapping[str, Any]) -> None:
    """Assigns what `save_variables` wrote.

    Raises:
        ValueError: if the file is broken, or is not of just these variables.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except npz.ERRORS as error:
        raise ValueError(
            "A checkpoint should be a complete file. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). Remove it "
            "to go on from the one before it."
        ) from error
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: array.shape for name, array in arrays.items()}
    if expected != received:
        differing = sorted(
            f"{name} should be {expected.get(name)}, is {received.get(name)}"
            for name in expected.keys() | received.keys()
            if expected.get(name) != received.get(name)
        )
        raise ValueError(
            "The checkpoint should be of this model and training. Received: "
            f"{os.fspath(path)!r}, where {'; '.join(differing[:5])}. Go on with "
            "the options it was saved with, or train in a new folder."
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
