"""Writes vectors as points to look at."""

import argparse
import collections
import itertools
from collections.abc import Iterator
from pathlib import Path

from keras_elmo.bulk.text_source import TextSource
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.files.existing import check_file
from keras_elmo.projector.html import import_plotly, write_html
from keras_elmo.projector.parquet import import_pyarrow, write_parquet
from keras_elmo.projector.points import Points, sentence_points, word_points
from keras_elmo.projector.tensorboard import check_projector, write_tensorboard
from keras_elmo.text.sentences import as_text
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
    form = args.to or _SUFFIXES.get(args.output.suffix.lower(), "tensorboard")
    _check_target(args.output, form, args.force)
    with TextSource(args.inputs) as source:
        kwargs = {} if args.tokenizer is None else {"tokenizer": args.tokenizer}
        elmo = ElmoEmbedding.from_stored_model(open_weights(args.weights), **kwargs)
        points = _find_points(args, elmo, source)
    _WRITERS[form](args.output, points, args.force)
    for note in _notes(args, points):
        print(f"note: {note}")
    next_step = _NEXT_STEPS[form].format(path=args.output)
    print(f"wrote {len(points.texts):,} points to {args.output}: {next_step}")


def _check_target(output: Path, form: str, force: bool) -> None:
    """Refuses before the work what would fail after it."""
    if form == "tensorboard":
        check_projector(output, force)
        return
    check_file("output", output, force)
    if form == "html":
        import_plotly()
    else:
        import_pyarrow()


def _find_points(
    args: argparse.Namespace, elmo: ElmoEmbedding, source: TextSource
) -> Points:
    files = {name: source.lines_of(i) for i, name in enumerate(source.file_names)}
    if args.word:
        lines = itertools.chain.from_iterable(files.values())
        return word_points(elmo, lines, args.word, args.layer, args.limit)
    return sentence_points(elmo, files, args.layer, args.limit)


def _notes(args: argparse.Namespace, points: Points) -> Iterator[str]:
    """What was looked for and is not shown."""
    counts = collections.Counter(points.labels)
    for word in args.word or []:
        if as_text(word.encode(errors="surrogateescape")) not in counts:
            yield f"no {word!r} in the text"
    for label, count in counts.items():
        if count == args.limit:
            yield f"the first {count:,} of {label!r}; --limit may show more"
