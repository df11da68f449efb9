"""Which points there are, and what the files hold, as other programs read them."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from golden import assert_close

from keras_elmo.cli.main import main
from keras_elmo.plots import principal_components
from keras_elmo.projector import (
    Points,
    sentence_points,
    word_points,
    write_html,
    write_parquet,
    write_tensorboard,
)

SENTENCES = ["the bank of a bank", "", "a cat", b"\xff bank"]
HOSTILE = '</script><script>document.title = "broken"</script>\t<b>\n'


def test_sentences_are_means_of_their_tokens(frozen_elmo):
    labels = ["a", "b", "c", "d"]
    points = sentence_points(frozen_elmo, SENTENCES, labels, layer="lstm_outputs1")
    assert points.texts == ["the bank of a bank", "a cat", r"\xff bank"]
    assert points.labels == ["a", "c", "d"]
    outputs = frozen_elmo(["a cat"])["lstm_outputs1"]
    assert_close(points.vectors[1], outputs[0].numpy().mean(axis=0))


def test_words_are_in_their_places(frozen_elmo):
    points = word_points(frozen_elmo, SENTENCES, ["bank", "cat"])
    assert points.labels == ["bank", "bank", "cat", "bank"]
    assert points.texts[:2] == ["the [bank] of a bank", "the bank of a [bank]"]
    outputs = frozen_elmo(["the bank of a bank"])["elmo"]
    assert_close(points.vectors[:2], outputs[0].numpy()[[1, 4]])


def test_no_more_is_read_than_shown(frozen_elmo):
    def sentences():
        yield from ["a cat"] * 30_000
        raise AssertionError("read to the end")

    points = word_points(frozen_elmo, sentences(), ["cat"], limit=2)
    assert len(points.texts) == 2


def test_bad_arguments(frozen_elmo):
    with pytest.raises(ValueError, match=r"one of the words \['dog'\]"):
        word_points(frozen_elmo, SENTENCES, ["dog"])
    with pytest.raises(ValueError, match="should hold words. Received: none"):
        sentence_points(frozen_elmo, [""], ["a"])
    with pytest.raises(ValueError, match="`layer` should be .*'default'"):
        sentence_points(frozen_elmo, ["a"], ["a"], layer="default")
    with pytest.raises(ValueError, match="`limit`"):
        sentence_points(frozen_elmo, ["a"], ["a"], limit=0)


@pytest.fixture
def points():
    vectors = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    return Points(vectors, [*"abcd", HOSTILE], ["x", "y", "x", "y", "<i>z"])


def test_files_of_tensorboard(points, tmp_path):
    write_tensorboard(tmp_path / "out", points)
    assert_close(np.loadtxt(tmp_path / "out/vectors.tsv"), points.vectors)
    header, *rows = (tmp_path / "out/metadata.tsv").read_text().splitlines()
    assert header == "text\tlabel" and rows[1] == "b\ty" and len(rows) == 5
    assert all(row.count("\t") == 1 for row in rows)
    config = (tmp_path / "out/projector_config.pbtxt").read_text()
    for name in re.findall(r'_path: "(.*)"', config):
        assert (tmp_path / "out" / name).is_file()


def test_columns_of_parquet(points, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(tmp_path / "out.parquet", points)
    columns = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert columns["text"] == points.texts and columns["label"] == points.labels
    assert_close(np.array(columns["vector"], "float32"), points.vectors)
    places = np.stack([columns["x"], columns["y"]], axis=1)
    assert_close(places, principal_components(points.vectors))


def test_a_page_takes_no_text_for_code(points, tmp_path):
    pytest.importorskip("plotly")
    write_html(tmp_path / "out.html", points)
    page = (tmp_path / "out.html").read_text()
    assert "document.title" in page and "<script>document.title" not in page
    assert "<i>z" not in page


@pytest.mark.slow
def test_a_browser_shows_points_and_labels(points, tmp_path):
    pytest.importorskip("plotly")
    image = pytest.importorskip("matplotlib.image")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here")
    write_html(tmp_path / "out.html", points)

    def look(*arguments):
        command = [browser, "--headless", "--no-sandbox", "--window-size=900,600"]
        command += ["--virtual-time-budget=10000", *arguments]
        page = (tmp_path / "out.html").as_uri()
        run = subprocess.run([*command, page], capture_output=True, timeout=100)
        return run.stdout.decode()

    page = look("--dump-dom")
    assert len(re.findall('class="point"', page)) == 5
    assert re.findall('class="legendtext"[^>]*>([^<]*)', page) == [
        "x",
        "y",
        "&lt;i&gt;z",
    ]
    assert "<title>broken" not in page
    look(f"--screenshot={tmp_path / 'shot.png'}")
    picture = (255 * image.imread(tmp_path / "shot.png")[..., :3]).round().astype(int)
    # The first label's points, there and in the legend, have plotly's first colour.
    assert np.sum(np.all(picture == (0x63, 0x6E, 0xFA), axis=-1)) > 50


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "river.txt").write_text("the bank of the river\nthe boat\n")
    (tmp_path / "money.txt").write_text("money in the bank\n")
    main(["project", "river.txt", "money.txt", "all"])
    assert "wrote 3 points to all: tensorboard" in capsys.readouterr().out
    rows = (tmp_path / "all/metadata.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == ["river.txt"] * 2 + ["money.txt"]
    words = ["river.txt", "money.txt", "bank.html", "--word", "bank"]
    main(["project", *words, "--layer", "lstm_outputs1", "--weights", "tiny_en"])
    assert "wrote 2 points to bank.html" in capsys.readouterr().out
    for arguments, message in [
        (words, "bank.html.*exists"),
        (["river.txt", "all"], "all.*exists"),
        (["none.txt", "b.html"], "none.txt"),
        (["river.txt", "b.html", "--word", "dog"], "'dog'"),
        (["river.txt", "b.html", "--layer", "top"], "`layer` should be"),
    ]:
        with pytest.raises(SystemExit, match=message):
            main(["project", *arguments])
    assert not (tmp_path / "b.html").exists()
    main(["project", *words, "--force"])
