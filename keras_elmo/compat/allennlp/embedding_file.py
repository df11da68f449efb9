"""The file of `allennlp elmo`: lines of text in, a dataset of HDF5 a line out."""

import contextlib
import errno
import json
import math
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from keras_elmo.arguments import check_choice
from keras_elmo.bulk.formats.hdf5 import SENTENCE_TO_INDEX
from keras_elmo.bulk.formats.hdf5_writer import Hdf5Writer
from keras_elmo.bulk.layers import Layers
from keras_elmo.files.atomic import replacing
from keras_elmo.files.progress import progress_bar
from keras_elmo.text.checks import shortened

OUTPUT_FORMATS = ("all", "top", "average")
# An error shows so many examples, since there may be millions.
_SHOWN = 5


def check_output_format(output_format: str) -> None:
    """Refuses what is none of `OUTPUT_FORMATS`."""
    check_choice("output_format", output_format, OUTPUT_FORMATS)


def read_sentences(
    input_file: IO[str], output_file_path: str | os.PathLike
) -> list[str]:
    """The lines of a text, without white space around them.

    Args:
        input_file: The open text, which is closed.
        output_file_path: What will be written, which may not be the same file.

    Raises:
        ValueError: if it is no open text, not UTF-8, or has empty lines.
    """
    if isinstance(input_file, str | bytes | os.PathLike):
        raise ValueError(
            "`input_file` should be an open file. Received: "
            f'input_file={input_file!r}. Pass open({input_file!r}, encoding="utf-8")'
        )
    name = getattr(input_file, "name", "the text")
    if isinstance(name, str) and os.path.exists(output_file_path):
        _check_apart(name, output_file_path)
    try:
        with input_file:
            sentences = [line.strip() for line in input_file]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`input_file` should be text in UTF-8. Received: {name}, where "
            f"bytes can't be read ({error})"
        ) from error
    if any(isinstance(sentence, bytes) for sentence in sentences):
        raise ValueError(
            f"`input_file` should be open as text. Received: {name}, open as bytes. "
            'Open it with mode "r" and encoding="utf-8"'
        )
    blank = [index for index, sentence in enumerate(sentences) if not sentence]
    if blank:
        raise ValueError(
            f"`input_file` should have no empty lines. Received: {name} with "
            f"{len(blank)} of them, at indexes {_first(blank)}, counted from 0. Remove "
            "them, or use `keras-elmo embed`, which gives them entries without tokens"
        )
    return sentences


def write_file(
    path: str | os.PathLike,
    sentences: Sequence[str],
    embedded: Iterable[Iterable[np.ndarray]],
    layers: Layers,
    forget_sentences: bool,
    use_sentence_keys: bool,
) -> None:
    """Writes the file, which is there whole or not at all.

    Args:
        path: The file, which is replaced if it is there.
        sentences: The lines of the text.
        embedded: Of each sentence, its rows `(tokens, *layers.row_shape)` in blocks.
        layers: What is stored.
        forget_sentences: See `ElmoEmbedder.embed_file`; so is `use_sentence_keys`.

    Raises:
        OSError: if the disk is full.
        ValueError: if sentences can't be keys.
    """
    if use_sentence_keys:
        _check_keys(sentences)
    _check_disk(path, sentences, layers)
    with (
        replacing(path) as new,
        Hdf5Writer(Path(new)) as writer,
        progress_bar("sentences") as bar,
    ):
        task = bar.add_task("", total=len(sentences))
        for index, (sentence, blocks) in enumerate(
            zip(sentences, embedded, strict=True)
        ):
            key = sentence if use_sentence_keys else str(index)
            shape = _shape(len(sentence.split()), layers)
            with _errors_that_name(key):
                dataset = writer.create(key, shape, "float32")
            _fill(dataset, blocks)
            writer.check()
            bar.advance(task)
        if not forget_sentences and not use_sentence_keys:
            # A sentence that comes twice has its last number, because AllenNLP does so.
            numbers = {sentence: str(index) for index, sentence in enumerate(sentences)}
            writer.write_text(SENTENCE_TO_INDEX, json.dumps(numbers))


def _shape(tokens: int, layers: Layers) -> tuple[int, ...]:
    *leading, dim = layers.row_shape
    return (*leading, tokens, dim)


def _fill(dataset: Any, blocks: Iterable[np.ndarray]) -> None:
    start = 0
    for block in blocks:
        stop = start + len(block)
        dataset[..., start:stop, :] = np.moveaxis(block, 0, -2)
        start = stop


def _check_apart(name: str, output_file_path: str | os.PathLike) -> None:
    if os.path.exists(name) and os.path.samefile(name, output_file_path):
        raise ValueError(
            "`output_file_path` should not be the text itself. Received: "
            f"{os.fspath(output_file_path)!r} for both. Choose another name"
        )


def _check_keys(sentences: Sequence[str]) -> None:
    twice = [sentence for sentence, count in Counter(sentences).items() if count > 1]
    if twice:
        raise ValueError(
            "With `use_sentence_keys`, no sentence should come twice. Received: "
            f"{_first(twice)} more than once. Nothing was written. Leave the argument "
            "out, so that keys are numbers"
        )
    if any("/" in sentence or ":" in sentence for sentence in sentences):
        warnings.warn(
            "Some sentences have a slash or a colon. HDF5 makes groups of what is "
            "between slashes, so such sentences can be looked up as keys, but are not "
            "listed as such",
            stacklevel=4,
        )


def _check_disk(
    path: str | os.PathLike, sentences: Sequence[str], layers: Layers
) -> None:
    """Refuses to begin what the disk has no room for."""
    tokens = sum(len(sentence.split()) for sentence in sentences)
    needed = 4 * tokens * math.prod(layers.row_shape)
    folder = Path(os.path.abspath(path)).parent
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            errno.ENOSPC,
            f"{needed:,} bytes are needed and {free:,} are free. Nothing was written. "
            "Store less by the output format, or name another disk",
            os.fspath(folder),
        )


@contextlib.contextmanager
def _errors_that_name(key: str) -> Iterator[None]:
    """Adds the key to what h5py says of one that it can't use."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ValueError(
            "Sentences should be names of datasets of HDF5 with `use_sentence_keys`. "
            f"Received: {_first([key])}, which can't be one ({error}). Nothing was "
            "written. Leave the argument out, so that keys are numbers"
        ) from error


def _first(values: list) -> str:
    """Some of the values, for an error."""
    shown = ", ".join(shortened(value) for value in values[:_SHOWN])
    return f"[{shown}{', ...' if len(values) > _SHOWN else ''}]"
