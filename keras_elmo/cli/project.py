"""Writes vectors as points to look at."""

import argparse
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from keras_elmo.bulk.formats.parquet import import_pyarrow
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.files.existing import check_file, check_folder
from keras_elmo.projector.html import import_plotly, write_html
from keras_elmo.projector.parquet import write_parquet
from keras_elmo.projector.points import Points, sentence_points, word_points
from keras_elmo.projector.tensorboard import CONFIG, write_tensorboard
from keras_elmo.weights.open_weights import open_weights

_WRITERS = {
    "html": write_html,
    "parquet": write_parquet,
    "tensorboard": write_tensorboard,
}
_SUFFIXES = {".html": "html", ".htm": "html", ".parquet": "parquet"}
_NEXT_STEPS = {
    "html": "open it in a browser",
    "parquet": "embedding-atlas {path} --text text --x x --y y",
    "tensorboard": "tensorboard --logdir {path}, or load its two .tsv files at "
    "projector.tensorflow.org",
}


def run(args: argparse.Namespace) -> None:
    form = args.to or _SUFFIXES.get(args.output.suffix, "tensorboard")
    _check_target(args.output, form, args.force)
    kwargs = {} if args.tokenizer is None else {"tokenizer": args.tokenizer}
    elmo = ElmoEmbedding.from_stored_model(open_weights(args.weights), **kwargs)
    with contextlib.ExitStack() as stack:
        # All are opened first, so that a missing one is an error now.
        sources = [stack.enter_context(TextSource(name)) for name in args.inputs]
        points = _find_points(args, elmo, sources)
    _WRITERS[form](args.output, points)
    next_step = _NEXT_STEPS[form].format(path=args.output)
    print(f"wrote {len(points.texts):,} points to {args.output}: {next_step}")


def _check_target(output: Path, form: str, force: bool) -> None:
    """Refuses before the work what would fail after it."""
    if form == "tensorboard":
        check_folder(output, CONFIG, "a folder of a projector", force)
        return
    check_file("output", output, force)
    import_plotly() if form == "html" else import_pyarrow()


def _find_points(
    args: argparse.Namespace, elmo: ElmoEmbedding, sources: list[TextSource]
) -> Points:
    kwargs = {"layer": args.layer, "limit": args.limit}
    labelled, lines = itertools.tee(_lines(args.inputs, sources))
    sentences = (line for _, line in lines)
    if args.word:
        return word_points(elmo, sentences, args.word, **kwargs)
    labels = (label for label, _ in labelled)
    return sentence_points(elmo, sentences, labels, **kwargs)


def _lines(names: list[str], sources: list[TextSource]) -> Iterator[tuple[str, bytes]]:
    for name, source in zip(names, sources, strict=True):
        for part in source.parts():
            yield from ((Path(name).name, line) for line in part.lines)
