"""`weights.hdf5` of AllenNLP, bilm-tf and simple_elmo."""

import io
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_elmo.atomic import replacing
from keras_elmo.weights.mapping import Entry, Layout

# bilm-tf's convolutions run over images of height 1.
_HEIGHT_AXIS = Layout(lambda array: array[0], lambda array: array[None])
# The file has no row for id 0, 'no token': every id of the file is one less.
_NO_PADDING_ROW = Layout(
    lambda array: np.pad(array, [(1, 0), (0, 0)]), lambda array: array[1:]
)
_LSTM = "RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"

TABLE = (
    Entry("char_embed", ("char_embedding",), _NO_PADDING_ROW),
    Entry("CNN/W_cnn_{index}", ("convolution_{index}/kernel",), _HEIGHT_AXIS),
    Entry("CNN/b_cnn_{index}", ("convolution_{index}/bias",)),
    Entry("CNN_high_{index}/W_carry", ("highway_{index}/carry/kernel",)),
    Entry("CNN_high_{index}/b_carry", ("highway_{index}/carry/bias",)),
    Entry("CNN_high_{index}/W_transform", ("highway_{index}/transform/kernel",)),
    Entry("CNN_high_{index}/b_transform", ("highway_{index}/transform/bias",)),
    Entry("CNN_proj/W_proj", ("projection/kernel",)),
    Entry("CNN_proj/b_proj", ("projection/bias",)),
    Entry(
        _LSTM + "W_0",
        (
            "lstm_{direction}_{layer}/kernel",
            "lstm_{direction}_{layer}/recurrent_kernel",
        ),
    ),
    Entry(_LSTM + "B", ("lstm_{direction}_{layer}/bias",)),
    Entry(_LSTM + "W_P_0", ("lstm_{direction}_{layer}/projection_kernel",)),
)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Every tensor of an HDF5 file by its full name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not HDF5, is cut short, or holds anything but
            floating-point tensors.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            "`weights` should be the path of an HDF5 file. Received: "
            f"weights={os.fspath(path)!r}, which is no file"
        )
    arrays: dict[str, np.ndarray] = {}

    def read(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.dtype.kind != "f" or item.shape is None:
            raise ValueError(
                f"`weights` should hold floating-point tensors only. Received: "
                f"{name} of dtype {item.dtype} in {os.fspath(path)!r}"
            )
        if item.external:
            raise ValueError(
                "`weights` should hold its tensors itself. Received: "
                f"{os.fspath(path)!r}, in which {name} refers to another file"
            )
        arrays[name] = item[()]

    try:
        # `visititems` follows no external links: a weight file opens no other.
        with h5py.File(path, "r") as file:
            file.visititems(read)
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(
            "`weights` should be a complete HDF5 file. Received: "
            f"{os.fspath(path)!r}, which could not be read ({error}). If it was "
            "downloaded, compare its size with the original's and fetch it again."
        ) from error
    return arrays


def write_arrays(
    path: str | os.PathLike, arrays: dict[str, np.ndarray], **filters: Any
) -> None:
    """Writes all tensors, or leaves `path` as it was.

    Args:
        path: The file to write.
        arrays: The tensors by name.
        **filters: As of `h5py.Group.create_dataset`: `compression`, for one.
    """
    # In memory first: HDF5's library crashes when the disk is full.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **filters)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content.getbuffer())
