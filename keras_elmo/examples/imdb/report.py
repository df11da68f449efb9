"""What came out, as a page of Markdown with pictures."""

import argparse
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo import __version__
from keras_elmo.examples.imdb.result import Result
from keras_elmo.examples.imdb.reviews import Reviews
from keras_elmo.files.atomic import replacing
from keras_elmo.files.optional import import_optional
from keras_elmo.plots import import_figure, plot_curves, plot_mix_weights

_BINS = 10
_EXAMPLES = 5
_EXCERPT = 300  # characters


def facts_of_run(
    args: argparse.Namespace,
    splits: Mapping[str, Reviews],
    source: Sequence[str],
    difference: float,
) -> dict[str, Any]:
    """What the report begins with.

    Args:
        args: Those of the script.
        splits: The reviews, by the name of their split.
        source: The weights, adapted or not.
        difference: The largest one of probabilities from strings and from vectors.
    """
    sizes = ", ".join(f"{len(reviews):,} {name}" for name, reviews in splits.items())
    compared = min(args.compare, len(splits["test"]))
    versions = (
        f"Python {platform.python_version()}, keras_elmo {__version__}, "
        f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
    )
    return {
        "Command": f"`{shlex.join(['python', '-m', __package__, *sys.argv[1:]])}`",
        "Versions": versions,
        "Weights": " ".join(source),
        "Reviews": sizes,
        f"Largest difference of {compared:,} probabilities, computed from strings and "
        "from what was kept": f"{difference:.1e}",
    }


def write_report(
    folder: Path,
    results: Sequence[Result],
    best: Result,
    test: Reviews,
    facts: Mapping[str, Any],
) -> None:
    """Writes `report.md` and its pictures.

    Args:
        folder: The folder to write to.
        results: All results, in the order of the table.
        best: The one of them that pictures and examples are of.
        test: The test reviews.
        facts: Lines to begin with, by name: command, versions, sizes.
    """
    labels = test.labels
    rows = [_row(result, test) for result in results]
    pictures = _write_pictures(folder, best, labels)
    error = calibration_error(best.probabilities, labels)
    lines = [
        "# Sentiment of film reviews",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        "| | test accuracy | validation accuracy | seconds |",
        "|---|---|---|---|",
        *rows,
        *_rows_of_seeds(results, test),
        "",
        f"## {best.name}",
        "",
        *(f"![{name}]({name}.png)" for name in pictures),
        "",
        f"Expected calibration error, by {_BINS} bins of one width: {error:.3f}.",
        "",
        *_examples(best.probabilities, test),
    ]
    with replacing(folder / "report.md") as temporary:
        Path(temporary).write_text("\n".join(lines) + "\n", "utf-8")


def _row(result: Result, test: Reviews) -> str:
    validation = f"{result.validation:.4f}" if result.history else ""
    test_accuracy = f"{result.accuracy(test):.4f}"
    return f"| {result.name} | {test_accuracy} | {validation} | {result.seconds:,.0f} |"


def _rows_of_seeds(results: Sequence[Result], test: Reviews) -> list[str]:
    """The mean of each method that was trained from several seeds, and the spread."""
    accuracies: dict[str, list[float]] = {}
    for result in results:
        if result.seed is not None:
            accuracies.setdefault(result.method, []).append(result.accuracy(test))
    return [
        f"| {method}, mean of {len(of_seeds)} seeds | {np.mean(of_seeds):.4f} "
        f"({min(of_seeds):.4f} to {max(of_seeds):.4f}) | | |"
        for method, of_seeds in accuracies.items()
        if len(of_seeds) > 1
    ]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance of the probability from the share of `pos`, bin by bin.

    Reference: Guo et al. 2017, arXiv:1706.04599, equation 3.

    Example:

    >>> calibration_error(np.array([0.75, 0.75, 0.25]), np.array([1.0, 0.0, 0.0]))
    0.25
    """
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(np.sum(probabilities[bins == index] - labels[bins == index]))
        for index in range(_BINS)
    ]
    return float(sum(gaps) / len(labels))


def _write_pictures(folder: Path, best: Result, labels: np.ndarray) -> list[str]:
    figures = {
        "confusion": _confusion(best, labels),
        "calibration": _calibration(best, labels),
    }
    if best.history:
        shown = ("loss", "val_loss", "accuracy", "val_accuracy")
        figures["curves"] = plot_curves({name: best.history[name] for name in shown})
    if len(best.mix):
        figures["mix"] = plot_mix_weights({best.name: best.mix})
    for name, figure in figures.items():
        with replacing(folder / f"{name}.png") as temporary:
            figure.savefig(temporary)
    return list(figures)


def _confusion(best: Result, labels: np.ndarray) -> Any:
    metrics = import_optional("sklearn.metrics", "examples", "Reports")
    figure = import_figure()(figsize=(4, 3.6), layout="constrained")
    metrics.ConfusionMatrixDisplay.from_predictions(
        labels > 0.5,
        best.probabilities > 0.5,
        display_labels=["neg", "pos"],
        values_format="d",
        ax=figure.subplots(),
    )
    return figure


def _calibration(best: Result, labels: np.ndarray) -> Any:
    calibration = import_optional("sklearn.calibration", "examples", "Reports")
    figure = import_figure()(figsize=(4, 3.6), layout="constrained")
    calibration.CalibrationDisplay.from_predictions(
        labels, best.probabilities, n_bins=_BINS, name=best.name, ax=figure.subplots()
    )
    return figure


def _examples(probabilities: np.ndarray, test: Reviews) -> list[str]:
    """Lines of reviews that are told with certainty, rightly or not, and of others."""
    certainty = np.abs(probabilities - 0.5)
    is_right = (probabilities > 0.5) == (test.labels > 0.5)
    order = np.argsort(certainty, kind="stable")
    groups = {
        "Certain and right": order[is_right[order]][::-1],
        "Certain and wrong": order[~is_right[order]][::-1],
        "Least certain": order,
    }
    lines = []
    for title, numbers in groups.items():
        lines += [f"### {title}", ""]
        for number in numbers[:_EXAMPLES]:
            label = "pos" if test.labels[number] else "neg"
            text = test.tokens[number]
            if len(text) > _EXCERPT:
                text = f"{text[:_EXCERPT]} ..."
            # As code, so that nothing in it is Markdown or HTML.
            text = text.replace("`", "'")
            lines += [f"- {label}, predicted {probabilities[number]:.3f}: `{text}`"]
        lines += [""]
    return lines
