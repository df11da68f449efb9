import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from full_disk import largest_file
from same_bytes import bytes_of

from keras_elmo.examples.imdb.report import calibration_error, write_report
from keras_elmo.examples.imdb.result import Result
from keras_elmo.examples.imdb.reviews import Reviews

LABELS = np.array([1.0, 0.0, 1.0, 0.0], "float32")
TEXTS = ["surely good", "surely `bad` <b>", "mistaken", "who knows" + " x" * 200]
BEST = Result(
    "best",
    np.array([0.98, 0.04, 0.1, 0.45], "float32"),
    12.0,
    {name: [0.5, 0.6] for name in ("loss", "val_loss", "accuracy", "val_accuracy")},
    [0.0, 0.5, 0.2],
)


def test_accuracy_and_calibration():
    assert BEST.accuracy(Reviews(TEXTS, TEXTS, LABELS)) == 0.75
    assert BEST.validation == 0.6
    bins = (0.04 - 0) + (1 - 0.98) + (1 - 0.1) + (0.45 - 0)
    assert abs(calibration_error(BEST.probabilities, LABELS) - bins / 4) < 1e-6
    assert calibration_error(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0


def test_report(tmp_path):
    other = Result("other", np.full(4, 0.6), 0.0)
    reviews = Reviews(TEXTS, TEXTS, LABELS)
    write_report(tmp_path, [other, BEST], BEST, reviews, {"Weights": "tiny_en"})
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "- Weights: tiny_en\n" in text
    assert "| other | 0.5000 |  | 0 |\n| best | 0.7500 | 0.6000 | 12 |" in text
    assert "mean of" not in text
    for name in ("confusion", "calibration", "curves", "mix"):
        assert f"![{name}]({name}.png)" in text
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    right, wrong, least = text.split("### ")[1:]
    assert right.index("surely good") < right.index("surely 'bad")
    assert "mistaken" in wrong and "surely" not in wrong and "knows" not in wrong
    assert "`surely 'bad' <b>`" in right and " ...`" in least
    assert least.index("who knows") < least.index("mistaken")


def test_a_full_disk_leaves_the_report_that_was_there(tmp_path):
    reviews = Reviews(TEXTS, TEXTS, LABELS)
    write_report(tmp_path, [BEST], BEST, reviews, {})
    before = bytes_of(tmp_path)
    with largest_file(500), pytest.raises(OSError) as error:
        write_report(tmp_path, [BEST, BEST], BEST, reviews, {})
    assert error.value.errno == errno.EFBIG
    assert bytes_of(tmp_path) == before


REPORT = """
import sys
from pathlib import Path
import numpy as np
from keras_elmo.examples.imdb.report import write_report
from keras_elmo.examples.imdb.result import Result
from keras_elmo.examples.imdb.reviews import Reviews
labels = np.array([1.0, 0.0])
result = Result("best", np.array([0.9, 0.2]), 1.0)
reviews = Reviews(["good", "bad"], ["good", "bad"], labels)
write_report(Path(sys.argv[1]), [result], result, reviews, {})
"""


def test_pictures_take_no_display(tmp_path):
    """There is nowhere to open a window, and Matplotlib may use nothing else."""
    (tmp_path / "matplotlibrc").write_text("backend: TkAgg\nbackend_fallback: False\n")
    variables = {**os.environ, "MATPLOTLIBRC": str(tmp_path)}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        variables.pop(name, None)
    subprocess.run([sys.executable, "-c", REPORT, tmp_path], check=True, env=variables)
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_spread_of_seeds(tmp_path):
    right = np.array([0.9, 0.1, 0.9, 0.1])
    seeds = [
        Result("frozen", right, 1.0, seed=1),
        Result("frozen", np.full(4, 0.6), 1.0, seed=2),
        Result("finetuned", right, 1.0, seed=1),
    ]
    reviews = Reviews(TEXTS, TEXTS, LABELS)
    write_report(tmp_path, seeds, BEST, reviews, {})
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "| frozen, seed 2 | 0.5000 |  | 1 |\n" in text
    assert "| frozen, mean of 2 seeds | 0.7500 (0.5000 to 1.0000) | | |\n" in text
    assert "finetuned, mean" not in text
