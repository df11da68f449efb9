"""The whole experiment, from reviews to report."""

import argparse
import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding
from keras_elmo.bulk import Embeddings
from keras_elmo.bulk.fingerprint import fingerprint
from keras_elmo.examples.imdb.adaptation import adapt, adapted_preset, unlabelled_text
from keras_elmo.examples.imdb.baselines import WORDS, bag_of_words, from_scratch
from keras_elmo.examples.imdb.batches import text_batches
from keras_elmo.examples.imdb.classifier import Classifier, check_layer
from keras_elmo.examples.imdb.report import facts_of_run, write_report
from keras_elmo.examples.imdb.result import Result
from keras_elmo.examples.imdb.reviews import (
    HASH,
    URL,
    Reviews,
    frequent_words,
    read_reviews,
)
from keras_elmo.examples.imdb.training import predict, train_and_test
from keras_elmo.examples.imdb.vectors import (
    check_room,
    frozen_vectors,
    vector_batches,
)
from keras_elmo.files.atomic import replacing
from keras_elmo.files.cache import cache_dir
from keras_elmo.files.download import download
from keras_elmo.files.locks import lock_beside, only_writer
from keras_elmo.files.optional import import_optional
from keras_elmo.files.run_record import RunRecord
from keras_elmo.plots import import_figure

# What is held out for validation is the same for all seeds, and so are the vectors.
_ORDER = 1
# A run that goes on may have other values of these. Those of fine-tuning may follow
# later; its own folder tells what it began with.
_NOT_RECORDED = {
    *("output", "data", "vectors", "baseline", "compare"),
    *("finetune", "finetune_epochs", "finetune_learning_rate"),
}
_SPLITS = ("train", "validation", "test")
# Fine-tuning bounds the norm of its gradients, because they go back through hundreds of
# tokens and can grow at each. Most of all they do where a review repeats one: at a
# review with 144 exclamation marks in a row the norm was 80, where it was below 6
# elsewhere, and another run became NaN.
_CLIP_NORM = 1.0


def run(args: argparse.Namespace) -> None:
    """Trains, tests and reports.

    Args:
        args: See `arguments`.

    Raises:
        ValueError, OSError, ModuleNotFoundError: for mistakes of the user.
        FloatingPointError: if a training diverges, see `fit`.
    """
    import_figure()  # errors now, not after hours
    import_optional("sklearn", "examples", "Reports")
    tf.get_logger().setLevel("ERROR")  # or it tells of every new shape of a batch
    data = args.data or download(URL, cache_dir() / "imdb", HASH)
    splits = _read_splits(args, data)
    elmo = _embedding(args, args.elmo)
    if args.layer is not None:
        check_layer(elmo, args.layer)
    weights = fingerprint(elmo)
    with only_writer(lock_beside(args.output), args.output, "--output"):
        _begin(args, data, splits, weights)
        _experiment(args, splits)


def _experiment(args: argparse.Namespace, splits: dict[str, Reviews]) -> None:
    """Trains on the splits, tests, and writes the report and the best model."""
    # Without this, the same seed does not give the same result to the last bit.
    tf.config.experimental.enable_op_determinism()
    texts = [reviews.tokens for reviews in splits.values()]
    # It comes first, because adaptation takes hours and changes no sizes.
    source = _weights_so_far(args)
    elmo, is_to_adapt = _embedding(args, source), args.adapt and source == args.elmo
    folder = _vectors_folder(args)
    check_room(elmo, texts, folder, args.dtype, is_adapted_later=is_to_adapt)
    source = _adapted(args) if args.adapt else args.elmo
    vectors = _vectors(args, source, splits)
    results = _baselines(args, splits) if args.baseline else []
    best: Any = None  # until the first seed is trained
    difference = 0.0
    for seed in args.seeds:
        classifier = _classifier(args, source, splits["train"], seed)
        result = _train(args, classifier, vectors, splits, seed)
        difference = max(difference, _difference(args, classifier, result, splits))
        results.append(result)
        best = _better(best, result, classifier, args.output)
        if args.finetune:
            results.append(_finetune(args, classifier, splits, seed))
            best = _better(best, results[-1], classifier, args.output)
    for result in results:
        print(f"{result.name}: test accuracy {result.accuracy(splits['test']):.4f}")
    facts = facts_of_run(args, splits, source, difference)
    write_report(args.output, results, best, splits["test"], facts)
    print(f"wrote {args.output / 'report.md'} and {args.output / 'model.keras'}")


def _begin(
    args: argparse.Namespace,
    data: Path,
    splits: Mapping[str, Reviews],
    weights: str,
) -> None:
    """Refuses to go on with other data, weights or options than the run began with."""
    values = {k: value for k, value in vars(args).items() if k not in _NOT_RECORDED}
    values["weights"] = weights
    for name, reviews in splits.items():
        content = "\n".join([*reviews.tokens, str(reviews.labels.tolist())])
        values[name] = hashlib.sha256(content.encode()).hexdigest()
    record = RunRecord(args.output / "run.json", values)
    if not record.is_resumed():
        args.output.mkdir(parents=True, exist_ok=True)
        # The record comes last: a text that can't be read should not be what later
        # commands have to go on with.
        if args.adapt:
            lines = unlabelled_text(data, args.adapt_text, args.max_tokens)
            _write_lines(_text_to_adapt_to(args), lines + splits["train"].tokens)
        record.write()


def _read_splits(args: argparse.Namespace, data: Path) -> dict[str, Reviews]:
    """The reviews of each of `_SPLITS`."""
    train, test = (
        read_reviews(data, split, args.max_tokens, args.limit, _ORDER)
        for split in ("train", "test")
    )
    if args.limit is not None and args.limit // 2 * 2 > len(train):
        print(f"--limit {args.limit:,}: there are no more than {len(train):,}")
    # The order is random, so that those at the end are a random part.
    share = round(args.validation_split * len(train))
    held_out = min(max(share, 1), len(train) - 1)
    splits = dict(
        zip(_SPLITS, (train[:-held_out], train[-held_out:], test), strict=True)
    )
    print(", ".join(f"{len(part):,} {name}" for name, part in splits.items()))
    return splits


def _baselines(args: argparse.Namespace, splits: dict[str, Reviews]) -> list[Result]:
    train, test = splits["train"], splits["test"]
    counted = [bag_of_words(train, test, longest) for longest in (1, 2)]
    return [*counted, from_scratch(args, splits, args.output / "from_scratch")]


def _adapted(args: argparse.Namespace) -> list[str]:
    """The weights that have gone on to learn from reviews without labels."""
    text, folder = _text_to_adapt_to(args), args.output / "adapted"
    return adapt(args.elmo, text, args.adapt_epochs, args.seeds[0], folder)


def _weights_so_far(args: argparse.Namespace) -> list[str]:
    """The adapted weights as soon as they are there."""
    preset = adapted_preset(args.output / "adapted")
    return [str(preset)] if args.adapt and preset.is_dir() else args.elmo


def _text_to_adapt_to(args: argparse.Namespace) -> Path:
    return args.output / "unlabelled.txt"


def _write_lines(path: Path, lines: list[str]) -> None:
    with replacing(path) as temporary:
        Path(temporary).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _embedding(args: argparse.Namespace, source: list[str]) -> ElmoEmbedding:
    return ElmoEmbedding.from_preset(
        source,
        output_key="elmo",
        finetune=args.finetune,
        tokenizer="space",
        name="elmo",
    )


def _classifier(
    args: argparse.Namespace, source: list[str], train: Reviews, seed: int
) -> Classifier:
    words = {"vocabulary": frequent_words(train, WORDS), "dim": args.words}
    return Classifier(
        _embedding(args, source),
        args.head,
        args.max_tokens,
        seed,
        args.dropout,
        words if args.words else None,
        args.layer,
    )


def _vectors(
    args: argparse.Namespace, source: list[str], splits: dict[str, Reviews]
) -> dict[str, Embeddings]:
    elmo, folder = _embedding(args, source), _vectors_folder(args)
    return {
        name: frozen_vectors(elmo, reviews.tokens, folder, args.dtype)
        for name, reviews in splits.items()
    }


def _vectors_folder(args: argparse.Namespace) -> Path:
    return args.vectors or args.output / "vectors"


def _train(
    args: argparse.Namespace,
    classifier: Classifier,
    vectors: Mapping[str, Embeddings],
    splits: Mapping[str, Reviews],
    seed: int,
) -> Result:
    """The mix and the head, on vectors that were computed before."""
    batches = {
        name: vector_batches(reviews, vectors[name], args.batch_size)
        for name, reviews in splits.items()
    }
    result = train_and_test(
        f"frozen, {_head(args)}",
        classifier.on_vectors,
        batches,
        seed,
        args.epochs,
        args.learning_rate,
        args.output / f"frozen-{seed}",
    )
    return dataclasses.replace(result, mix=classifier.mix_weights(), seed=seed)


def _finetune(
    args: argparse.Namespace,
    classifier: Classifier,
    splits: Mapping[str, Reviews],
    seed: int,
) -> Result:
    """All that `--finetune` names and the head, on strings."""
    batches = {
        name: text_batches(reviews, reviews.texts, args.batch_size)
        for name, reviews in splits.items()
    }
    result = train_and_test(
        f"finetuned ({args.finetune}), {_head(args)}",
        classifier.on_text,
        batches,
        seed,
        args.finetune_epochs,
        args.finetune_learning_rate,
        args.output / f"finetuned-{args.finetune}-{seed}",
        _CLIP_NORM,
    )
    return dataclasses.replace(result, mix=classifier.mix_weights(), seed=seed)


def _head(args: argparse.Namespace) -> str:
    """What the report calls all that comes after the mix."""
    layer = "" if args.layer is None else f" of layer {args.layer}"
    words = " with word embeddings" if args.words else ""
    return f"{args.head}{layer}{words}"


def _better(
    best: Result | None, result: Result, classifier: Classifier, folder: Path
) -> Result:
    """The result that validated better; the classifier is saved if that is the new."""
    if best is not None and result.validation <= best.validation:
        return best
    with replacing(folder / "model.keras") as temporary:
        classifier.on_text.save(temporary)
    with replacing(folder / "saved_model") as temporary:
        classifier.on_text.export(temporary, verbose=False)
    return result


def _difference(
    args: argparse.Namespace,
    classifier: Classifier,
    result: Result,
    splits: Mapping[str, Reviews],
) -> float:
    """How far strings and vectors are apart in the probabilities of some reviews."""
    compared = splits["test"][: args.compare]
    batches = text_batches(compared, compared.texts, args.batch_size)
    probabilities = predict(classifier.on_text, batches)
    return float(np.abs(probabilities - result.probabilities[: args.compare]).max())
