"""Checkpoints that bilm-tf writes while it trains, which hold the softmax too."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_elmo.weights import tables
from keras_elmo.weights.containers import checkpoint
from keras_elmo.weights.formats import options
from keras_elmo.weights.formats.allennlp import IMPLIED, VOCABULARIES
from keras_elmo.weights.mapping import LazyArray
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "bilm-tf checkpoint"
_OPTIONS = "options.json"
_PREFIX = "lm/"
# Only training needs these: the optimizer's memory and counts.
_IGNORED = re.compile(r".*/Ada(grad|m(_1)?)|global_step|train_perplexity")
_SOFTMAX = {"lm/softmax/W": "softmax/kernel", "lm/softmax/b": "softmax/bias"}
# TensorFlow names the cell of a single layer without the stack around it.
_ONE_LAYER = ("/rnn/lstm_cell/", "/rnn/multi_rnn_cell/cell_0/lstm_cell/")


def recognizes(path: Path) -> bool:
    """Whether `path` is the prefix of a checkpoint, or a folder with one."""
    return checkpoint.find_prefix(path) is not None


def open_folder(path: Path, options_file: Any = None) -> StoredModel:
    """Opens the newest checkpoint of a folder, or that of a prefix.

    Args:
        path: The folder, or the prefix of a checkpoint's files.
        options_file: Path of `options.json`, or its content. Defaults to None: the
            one beside the checkpoint, where bilm-tf puts it.

    Raises:
        FileNotFoundError: if there is no checkpoint.
        ValueError: if it is broken, or not one of bilm-tf.
    """
    prefix = checkpoint.find_prefix(path)
    if prefix is None:
        raise FileNotFoundError(
            "A checkpoint of bilm-tf should be a folder with model.ckpt-*.index and "
            f"{_OPTIONS}. Received: {os.fspath(path)!r}, which has none"
        )
    arrays = _renamed(checkpoint.read_arrays(prefix), prefix)
    if not any(name.startswith(_PREFIX) for name in arrays):
        raise ValueError(
            f"A checkpoint of bilm-tf should hold tensors named {_PREFIX}... Received: "
            f"{os.fspath(prefix)!r} with {sorted(arrays)[:5]} and so on"
        )
    softmax = {
        ours: arrays.pop(theirs)
        for theirs, ours in _SOFTMAX.items()
        if theirs in arrays
    }
    if options_file is None:
        options_file = prefix.with_name(_OPTIONS)
    arguments, _ = options.open_options(options_file)
    return StoredModel(
        format=FORMAT,
        origin=os.fspath(prefix),
        described_in=options.name(options_file),
        arguments={**arguments, **IMPLIED},
        table=tables.BILM_TF,
        arrays=arrays,
        extra_weights={"softmax": lambda: softmax} if softmax else {},
        vocabulary=_find_vocabulary(prefix.parent),
    )


def _renamed(arrays: Mapping[str, LazyArray], prefix: Path) -> dict[str, LazyArray]:
    """The tensors that embedding needs, by the names that several layers have."""
    renamed: dict[str, LazyArray] = {}
    for name, array in arrays.items():
        full_name = name.replace(*_ONE_LAYER)
        if full_name in renamed:
            raise ValueError(
                "A checkpoint of bilm-tf should hold every tensor once. Received: "
                f"{os.fspath(prefix)!r}, which holds {full_name} also by the "
                "name for one layer. Write it again with one of the names"
            )
        if not _IGNORED.fullmatch(name):
            renamed[full_name] = array
    return renamed


def _find_vocabulary(folder: Path) -> Path | None:
    found = [folder / name for name in VOCABULARIES if (folder / name).is_file()]
    return found[0] if found else None
