"""The whole experiment, from reviews to report."""

import argparse
import functools
import platform
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding, __version__
from keras_elmo.bulk import Embeddings
from keras_elmo.examples.imdb.adaptation import adapt
from keras_elmo.examples.imdb.baselines import bag_of_words, from_scratch
from keras_elmo.examples.imdb.batches import Batches, text_batches
from keras_elmo.examples.imdb.classifier import Classifier
from keras_elmo.examples.imdb.layers import first_tokens
from keras_elmo.examples.imdb.report import Result, accuracy, write_report
from keras_elmo.examples.imdb.reviews import (
    HASH,
    URL,
    Reviews,
    read_reviews,
    read_unlabelled,
)
from keras_elmo.examples.imdb.training import fit, predict
from keras_elmo.examples.imdb.vectors import frozen_vectors, load_padded
from keras_elmo.files.cache import cache_dir
from keras_elmo.files.download import download
from keras_elmo.files.run_record import RunRecord
from keras_elmo.plots import import_figure

# All seeds share the order of the reviews, and so the vectors on disk.
_ORDER = 1
# How many test reviews are computed from strings too, to compare.
_COMPARED = 256
# A run that goes on may have other values of these.
_NOT_RECORDED = {"output", "data", "baseline"}
_SPLITS = ("train", "validation", "test")


def run(args: argparse.Namespace) -> None:
    """Trains, tests and reports.

    Args:
        args: See `arguments`.

    Raises:
        ValueError, OSError, ModuleNotFoundError: for mistakes of the user.
    """
    import_figure()  # an error now, not after hours
    record = _record(args)
    is_resumed = record.is_resumed()
    # Without this, the same seed does not give the same result to the last bit.
    tf.config.experimental.enable_op_determinism()
    tf.get_logger().setLevel("ERROR")  # or it tells of every new shape of a batch
    data = args.data or download(URL, cache_dir() / "imdb", HASH)
    splits = _read_splits(args, data)
    labels = splits["test"].labels
    args.output.mkdir(parents=True, exist_ok=True)
    source = _adapted(args, data, splits) if args.adapt else args.elmo
    vectors = _vectors(args, source, splits)
    if not is_resumed:
        record.write()
    results = _baselines(args, splits) if args.baseline else []
    best: Result | None = None
    difference = 0.0
    for seed in args.seeds:
        classifier = _make(args, source, seed)
        trained = [_train(args, classifier, vectors, splits, seed)]
        difference = max(difference, _difference(classifier, trained[0], splits))
        if args.finetune:
            trained.append(_finetune(args, classifier, splits, seed))
        for result in trained:
            print(f"{result.name}: test accuracy {accuracy(result, labels):.4f}")
        results += trained
        if best is None or trained[-1].validation > best.validation:
            best = trained[-1]
            _save(classifier, args.output)
    if best is None:
        raise ValueError("`--seeds` should name at least one")
    facts = _facts(splits, source, difference)
    write_report(args.output, results, best, splits["test"], facts)
    print(f"wrote {args.output / 'report.md'} and {args.output / 'model.keras'}")


def _record(args: argparse.Namespace) -> RunRecord:
    """What should be the same when the run goes on."""
    values = {k: value for k, value in vars(args).items() if k not in _NOT_RECORDED}
    return RunRecord(args.output / "run.json", values)


def _read_splits(args: argparse.Namespace, data: Path) -> dict[str, Reviews]:
    """The reviews of each of `_SPLITS`."""
    train, test = (
        read_reviews(data, split, args.max_tokens, args.limit, _ORDER)
        for split in ("train", "test")
    )
    if args.limit is not None and args.limit > len(train):
        print(f"--limit {args.limit:,}: there are no more than {len(train):,}")
    # The last ones are any, since the order is random.
    held_out = max(round(args.validation_split * len(train)), 1)
    splits = dict(
        zip(_SPLITS, (train[:-held_out], train[-held_out:], test), strict=True)
    )
    print(", ".join(f"{len(part):,} {name}" for name, part in splits.items()))
    return splits


def _baselines(args: argparse.Namespace, splits: dict[str, Reviews]) -> list[Result]:
    train, test = splits["train"], splits["test"]
    results = []
    for longest, name in ((1, "words"), (2, "words and pairs")):
        start = time.monotonic()
        probabilities = bag_of_words(train, test, longest)
        seconds = time.monotonic() - start
        results.append(Result(f"TF-IDF of {name}", probabilities, seconds))
    results.append(from_scratch(args, splits, args.output / "from_scratch"))
    for result in results:
        print(f"{result.name}: test accuracy {accuracy(result, test.labels):.4f}")
    return results


def _adapted(
    args: argparse.Namespace, data: Path, splits: dict[str, Reviews]
) -> list[str]:
    """The weights that have gone on to learn from reviews without labels."""
    text = args.adapt_text
    if text is None:
        unlabelled = read_unlabelled(data)
        if not unlabelled:
            raise ValueError(
                "`data` should have reviews of no label in train/unsup for --adapt. "
                f"Received: {data} without any. Name a text by --adapt-text"
            )
        text = args.output / "unlabelled.txt"
        lines = first_tokens(unlabelled, args.max_tokens) + splits["train"].tokens
        text.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    folder = args.output / "adapted"
    return adapt(args.elmo, text, args.adapt_epochs, args.seeds[0], folder)


def _make(args: argparse.Namespace, source: list[str], seed: int) -> Classifier:
    elmo = ElmoEmbedding.from_preset(
        source,
        output_key="elmo",
        finetune=args.finetune,
        tokenizer="space",
        name="elmo",
    )
    return Classifier(elmo, args.head, args.max_tokens, seed)


def _vectors(
    args: argparse.Namespace, source: list[str], splits: dict[str, Reviews]
) -> dict[str, Embeddings]:
    elmo = ElmoEmbedding.from_preset(source, tokenizer="space")
    folder = args.vectors or args.output / "vectors"
    return {
        name: frozen_vectors(elmo, reviews.tokens, folder, args.dtype)
        for name, reviews in splits.items()
    }


def _train(
    args: argparse.Namespace,
    classifier: Classifier,
    vectors: Mapping[str, Embeddings],
    splits: Mapping[str, Reviews],
    seed: int,
) -> Result:
    """The mix and the head, on vectors that were computed before."""
    batches = {
        name: Batches(
            reviews,
            functools.partial(load_padded, vectors[name]),
            args.batch_size,
            seed if name == "train" else None,
        )
        for name, reviews in splits.items()
    }
    history = fit(
        classifier.on_vectors,
        batches["train"],
        batches["validation"],
        args.epochs,
        args.learning_rate,
        args.output / f"frozen-{seed}",
    )
    return Result(
        f"frozen, {args.head}, seed {seed}",
        predict(classifier.on_vectors, batches["test"]),
        sum(history["seconds"]),
        history,
        classifier.mix_weights(),
    )


def _finetune(
    args: argparse.Namespace,
    classifier: Classifier,
    splits: Mapping[str, Reviews],
    seed: int,
) -> Result:
    """All that `--finetune` names and the head, on strings."""
    batches = {
        name: text_batches(
            reviews, reviews.texts, args.batch_size, seed if name == "train" else None
        )
        for name, reviews in splits.items()
    }
    history = fit(
        classifier.on_text,
        batches["train"],
        batches["validation"],
        args.finetune_epochs,
        args.finetune_learning_rate,
        args.output / f"finetuned-{seed}",
    )
    return Result(
        f"finetuned ({args.finetune}), {args.head}, seed {seed}",
        predict(classifier.on_text, batches["test"]),
        sum(history["seconds"]),
        history,
        classifier.mix_weights(),
    )


def _difference(
    classifier: Classifier, result: Result, splits: Mapping[str, Reviews]
) -> float:
    """How far strings and vectors are apart in the probabilities of some reviews."""
    texts = np.array(splits["test"].texts[:_COMPARED], dtype=object)
    probabilities = classifier.on_text.predict(texts, verbose=0)[:, 0]
    return float(np.abs(probabilities - result.probabilities[:_COMPARED]).max())


def _save(classifier: Classifier, folder: Path) -> None:
    classifier.on_text.save(folder / "model.keras")
    classifier.on_text.export(folder / "saved_model", verbose=False)


def _facts(
    splits: Mapping[str, Reviews], source: list[str], difference: float
) -> dict[str, Any]:
    sizes = ", ".join(f"{len(reviews):,} {name}" for name, reviews in splits.items())
    versions = (
        f"Python {platform.python_version()}, keras_elmo {__version__}, "
        f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
    )
    return {
        "Command": f"`{shlex.join(['python', '-m', __package__, *sys.argv[1:]])}`",
        "Versions": versions,
        "Weights": " ".join(source),
        "Reviews": sizes,
        "Largest difference of a probability, computed from strings and from what was "
        f"kept of {min(_COMPARED, len(splits['test']))} reviews": f"{difference:.1e}",
    }
