"""What is in the pictures, and what they refuse."""

import numpy as np
import pytest
from golden import assert_close

from keras_elmo.plots import (
    plot_curves,
    plot_mix_weights,
    plot_senses,
    plot_similarity,
)
from keras_elmo.principal_components import principal_components

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def test_senses_are_at_their_principal_components():
    rng = np.random.default_rng(0)
    layers = {name: rng.normal(size=(5, 8)) for name in ("word_emb", "elmo")}
    senses = ["river", "money", "river", "money", "money"]
    figure = plot_senses(layers, senses)
    assert [panel.get_title() for panel in figure.axes] == ["word_emb", "elmo"]
    river, money = figure.axes[1].collections
    points = principal_components(layers["elmo"])
    assert_close(np.asarray(river.get_offsets()), points[[0, 2]])
    assert_close(np.asarray(money.get_offsets()), points[[1, 3, 4]])


def test_principal_components_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    vectors = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    expected = decomposition.PCA(2).fit_transform(vectors)
    points = principal_components(vectors)
    signs = np.sign((points * expected).sum(axis=0))
    assert_close(points, expected * signs)
    # The sign is that of the direction's largest coordinate.
    loadings = (vectors - vectors.mean(axis=0)).T @ points
    assert np.all(loadings[np.abs(loadings).argmax(axis=0), [0, 1]] > 0)
    # What differs by rounding is one point.
    one = np.full((3, 4), 0.1, "float32")
    one[1] = np.nextafter(one[1], 1)
    assert_close(principal_components(one), np.zeros((3, 2)), atol=0)
    # Two vectors differ in one direction, and numbers have no other.
    assert_close(principal_components(vectors[:2])[:, 1], np.zeros(2))
    assert_close(principal_components(vectors[:, :1])[:, 1], np.zeros(20))


def test_mix_weights_of_several_tasks():
    figure = plot_mix_weights({"tagging": [0.0, 1.0, 0.0], "parsing": [2.0, 2.0, 2.0]})
    tagging, parsing = figure.axes[0].containers
    heights = np.array([bar.get_height() for bar in tagging])
    assert_close(heights, np.exp([0, 1, 0]) / np.exp([0, 1, 0]).sum())
    assert_close(np.array([bar.get_height() for bar in parsing]), np.full(3, 1 / 3))
    edges = tagging[0].get_x(), parsing[0].get_x() + parsing[0].get_width()
    assert_close(np.array(edges), np.array([-0.4, 0.4]))
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == [
        "word_emb",
        "lstm_outputs1",
        "lstm_outputs2",
    ]


def test_curves_beside_their_validation():
    figure = plot_curves({"loss": [3, 2], "accuracy": [0, 1], "val_loss": [3, 4]})
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert [list(line.get_ydata()) for line in loss.lines] == [[3, 2], [3, 4]]
    assert [list(line.get_xdata()) for line in accuracy.lines] == [[1, 2]]


def test_similarity_of_rows_with_columns(tmp_path):
    similarity = np.array([[0.25, 1.0, -0.5]])
    figure = plot_similarity(similarity, ["cats"], ["dogs", "cats", "tax"])
    panel = figure.axes[0]
    assert [text.get_text() for text in panel.texts] == ["0.25", "1.00", "-0.50"]
    assert [text.get_text() for text in panel.get_xticklabels()][2] == "tax"
    figure.savefig(tmp_path / "similarity.png")
    assert (tmp_path / "similarity.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("rows, columns", [(1, 1), (30, 30), (500, 2), (2, 500)])
@pytest.mark.parametrize("count", [1, 5])
def test_cosines_fit_into_their_squares(rows, columns, count):
    rng = np.random.default_rng(1)
    labels, others = ["a" * rows] * count, ["a" * columns] * 5
    figure = plot_similarity(rng.uniform(-1, 1, (count, 5)), labels, others)
    figure.draw_without_rendering()
    panel = figure.axes[0]
    assert len(panel.get_yticklabels()[0].get_text()) == min(rows, 60)
    assert len(panel.get_xticklabels()[0].get_text()) == min(columns, 60)
    assert panel.get_tightbbox().x0 >= 0  # nothing is cut off
    side = panel.get_window_extent().width / 5
    assert max(text.get_window_extent().width for text in panel.texts) < side


def test_texts_are_shown_as_they_are(tmp_path):
    texts = ["it cost $5, not $6", "x $a^^b$", "_a"]
    figure = plot_similarity(np.eye(3), texts)
    figure.savefig(tmp_path / "similarity.png")
    senses = plot_senses({"$a^^b$": np.eye(3)}, texts)
    senses.savefig(tmp_path / "senses.png")
    shown = [text.get_text().strip() for text in senses.legends[0].get_texts()]
    assert [text.replace("\\$", "$") for text in shown] == texts
    assert len(plot_mix_weights({"_t": [0.0]}).axes[0].get_legend().get_texts()) == 1


def test_no_two_senses_have_one_colour():
    names = [f"sense {number}" for number in range(14)]
    panel = plot_senses({"elmo": np.eye(14)}, names).axes[0]
    colors = {tuple(points.get_facecolor()[0]) for points in panel.collections}
    assert len(colors) == 14


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: plot_senses({"elmo": np.ones((3, 2))}, ["a", "b"]), r"\(3, 2\) for 2"),
        (lambda: plot_senses({}, ["a"]), "`layers`.*nothing"),
        (lambda: plot_senses({"elmo": np.full((1, 2), np.nan)}, ["a"]), "finite"),
        (lambda: plot_mix_weights({"a": []}), "`mixes`"),
        (lambda: plot_similarity(np.zeros((0, 0)), []), "`similarity`"),
        (lambda: principal_components(np.zeros((0, 4))), r"shape \(0, 4\)"),
        (lambda: plot_mix_weights({}), r"`mixes`.*Received: shapes \[\]"),
        (lambda: plot_mix_weights({"a": [0], "b": [0, 0]}), r"`mixes`.*\(1,\), \(2,\)"),
        (lambda: plot_curves({}), "`history`"),
        (lambda: plot_similarity(np.eye(2), ["a"]), r"`similarity`.*\(2, 2\) for 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
