"""Writes pretrained weights in another format."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_elmo.cli.lines import read_lines
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.weights import mapping, tables
from keras_elmo.weights.formats import allennlp, preset_folder, tfhub
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel
from keras_elmo.weights.variables import named_variables


class _Content(NamedTuple):
    """What there is to write."""

    config: dict[str, Any]
    variables: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    vocabulary: Path | None


class _Target(NamedTuple):
    """A format to write."""

    readers: str
    changes_outputs: Callable[[dict[str, Any]], list[str]]
    check: Callable[[Path, bool], None]
    write: Callable[[Path, _Content, bool], list[Path]]
    open: Callable[[Path], StoredModel]


def run(args: argparse.Namespace) -> None:
    target = _TARGETS[args.to or _format_of(args.target)]
    target.check(args.target, args.force)
    stored = open_weights(args.source)
    content = _content(stored, args)
    differences = target.changes_outputs(content.config)
    if differences and not args.allow_differences:
        raise ValueError(
            f"{target.readers} would compute other numbers of it, because they do not "
            f"know of {', '.join(differences)}. Nothing was written. With "
            "--allow-differences it is written for this package, which reads these "
            "from a place of its own"
        )
    written = target.write(args.target, content, args.force)
    _check_written(target.open(args.target), content)
    names = " and ".join(map(str, written))
    print(f"wrote {names}, read it again, and found every bit in its place")


def _content(stored: StoredModel, args: argparse.Namespace) -> _Content:
    kwargs: dict[str, Any] = {}
    if args.cache_words:
        kwargs["cached_words"] = read_lines(args.cache_words)
    if args.warm_up:
        kwargs["warm_up"] = read_lines(args.warm_up)
    if args.warm_up or "start_state" in stored.extra_weights:
        kwargs["start_state"] = "warm"
    elmo = ElmoEmbedding.from_stored_model(stored, **kwargs)
    parts = elmo.extra_weights()
    if "softmax" in stored.extra_weights:
        softmax = stored.extra_weights["softmax"]()
        parts["softmax"] = {name: array[:] for name, array in softmax.items()}
    config = {**elmo.settings(), "metadata": dict(stored.metadata)}
    vocabulary = args.vocabulary or stored.vocabulary
    return _Content(config, named_variables(elmo.bilm), parts, vocabulary)


def _format_of(target: Path) -> str:
    return "hdf5" if target.suffix in allennlp.ENDINGS else "preset"


def _pair(target: Path) -> tuple[Path, Path]:
    """Options and weights: named after each other, or in a folder of their own."""
    if target.suffix in allennlp.ENDINGS:
        return allennlp.options_name(target), target
    return target / "options.json", target / "weights.hdf5"


def _check_pair(target: Path, overwrite: bool) -> None:
    allennlp.check_target(*_pair(target), overwrite)


def _write_pair(target: Path, content: _Content, overwrite: bool) -> list[Path]:
    options, weights = _pair(target)
    allennlp.write_pair(options, weights, content.config, content.variables, overwrite)
    _leave_out_parts(content)
    return [weights, options]


def _write_module(target: Path, content: _Content, overwrite: bool) -> list[Path]:
    tfhub.write_folder(target, content.config, content.variables, overwrite)
    _leave_out_parts(content)
    return [target]


def _leave_out_parts(content: _Content) -> None:
    # The words of a cache are kept, and its vectors computed from them again.
    parts = sorted(content.parts.keys() - {"word_cache"})
    if parts:
        print(f"left out, because the format has no place for it: {', '.join(parts)}")


def _write_preset(target: Path, content: _Content, overwrite: bool) -> list[Path]:
    parts = {**content.parts}
    if "softmax" in parts and content.vocabulary is None:
        print("left out, for want of its words (--vocabulary): softmax")
        del parts["softmax"]
    with preset_folder.writing(target, overwrite) as temporary:
        preset_folder.write(temporary, content.config, content.variables, parts=parts)
        if "softmax" in parts and content.vocabulary is not None:
            vocabulary = Vocabulary.from_file(content.vocabulary)
            vocabulary.save(Path(temporary) / preset_folder.VOCABULARY)
    return [target]


def _check_written(written: StoredModel, content: _Content) -> None:
    """Reads what was written, and compares all of it."""
    config = content.config
    again = ElmoEmbedding.from_stored_model(written)
    before = mapping.collect(tables.PRESET, content.variables)
    after = mapping.collect(tables.PRESET, named_variables(again.bilm))
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    for part, value in again.settings().items():
        if part != "metadata" and value != config[part]:
            changed.append(part)
    if not config["metadata"].items() <= written.metadata.items():
        changed.append("metadata")
    if changed:
        raise ValueError(
            f"What was written should be what was read. Received: {written.origin!r}, "
            f"in which {changed} differ. Please report this."
        )


_TARGETS = {
    "preset": _Target(
        "presets",
        lambda config: [],
        preset_folder.check_target,
        _write_preset,
        preset_folder.open_folder,
    ),
    "hdf5": _Target(
        "AllenNLP and bilm-tf",
        allennlp.changes_outputs,
        _check_pair,
        _write_pair,
        lambda target: allennlp.open_pair(*_pair(target)),
    ),
    "tfhub": _Target(
        "TF-Hub's graphs",
        tfhub.changes_outputs,
        tfhub.check_target,
        _write_module,
        tfhub.open_folder,
    ),
}
