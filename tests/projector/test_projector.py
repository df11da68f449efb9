"""Which points there are, and what the files hold, as other programs read them."""

import html
import re
import shutil
import subprocess

import numpy as np
import pytest
from golden import assert_close
from models import skip_elmo

from keras_elmo.cli.main import main
from keras_elmo.principal_components import principal_components
from keras_elmo.projector import (
    Points,
    sentence_points,
    word_points,
    write_html,
    write_parquet,
    write_tensorboard,
)

pytest.importorskip("plotly", reason="plotly is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

SENTENCES = ["the bank of a bank", "", "a cat", b"\xff bank"]
HOSTILE = '</script><script>document.title = "broken"</script>\t<b>&amp;\n'


def test_sentences_are_means_of_their_tokens(frozen_elmo):
    groups = {"x": SENTENCES[:2], "y": iter(SENTENCES[2:])}
    points = sentence_points(frozen_elmo, groups, layer="lstm_outputs1")
    assert points.texts == ["the bank of a bank", "a cat", r"\xff bank"]
    assert points.labels == ["x", "y", "y"]
    outputs = frozen_elmo(["a cat"])["lstm_outputs1"]
    assert_close(points.vectors[1], outputs[0].numpy().mean(axis=0))


def test_words_are_in_their_places(frozen_elmo):
    points = word_points(frozen_elmo, SENTENCES, ["bank", "cat"])
    assert points.labels == ["bank", "bank", "cat", "bank"]
    assert points.texts[:2] == ["the [bank] of a bank", "the bank of a [bank]"]
    outputs = frozen_elmo(["the bank of a bank"])["elmo"]
    assert_close(points.vectors[:2], outputs[0].numpy()[[1, 4]])


def test_words_that_are_no_text(frozen_elmo):
    points = word_points(frozen_elmo, SENTENCES, ["\udcff"])
    assert points.labels == [r"\xff"] and points.texts == [r"[\xff] bank"]


def test_the_limit_is_one_of_each_label(frozen_elmo):
    groups = {"x": ["a", "b", "c"], "y": ["d"]}
    assert sentence_points(frozen_elmo, groups, limit=2).labels == ["x", "x", "y"]

    def sentences():
        yield from ["a a", "cat", "a cat"]
        yield from ["no more"] * 256  # which are tokenized at once
        raise AssertionError("read to the end")

    points = word_points(frozen_elmo, sentences(), ["a", "cat"], limit=2)
    assert points.labels == ["a", "a", "cat", "cat"]


def test_half_precision():
    elmo = skip_elmo(dtype="mixed_bfloat16")
    assert word_points(elmo, SENTENCES, ["cat"]).vectors.dtype == "float32"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda elmo: word_points(elmo, SENTENCES, ["dog"]), r"words \['dog'\]"),
        (lambda elmo: word_points(elmo, SENTENCES, "cat"), "`words`.*'cat'"),
        (lambda elmo: word_points(elmo, SENTENCES, []), r"`words`.*\[\]"),
        (lambda elmo: word_points(elmo, "a cat", ["cat"]), "`sentences`.*'a cat'"),
        (lambda elmo: sentence_points(elmo, ["a"]), "`groups`.*Received: list"),
        (lambda elmo: sentence_points(elmo, {"x": "a"}), "`sentences`.*'a'"),
        (lambda elmo: sentence_points(elmo, {"x": [""]}), "should hold tokens"),
        (lambda elmo: sentence_points(elmo, {"x": ["a"]}, "default"), "`layer`"),
        (lambda elmo: sentence_points(elmo, {"x": ["a"]}, limit=0), "`limit`"),
        (lambda elmo: Points(np.ones((1, 2)), ["a", "b"], ["x"]), "2 texts and 1 lab"),
        (lambda elmo: Points(np.full((1, 2), np.nan), ["a"], ["x"]), "finite"),
    ],
)
def test_bad_arguments(frozen_elmo, call, message):
    with pytest.raises(ValueError, match=message):
        call(frozen_elmo)


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
    write_parquet(tmp_path / "out.parquet", points)
    columns = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert columns["text"] == points.texts and columns["label"] == points.labels
    assert_close(np.array(columns["vector"], "float32"), points.vectors)
    places = np.stack([columns["x"], columns["y"]], axis=1)
    assert_close(places, principal_components(points.vectors))


def test_a_page_takes_no_text_for_code(points, tmp_path):
    write_html(tmp_path / "out.html", points)
    page = (tmp_path / "out.html").read_text()
    assert "<script>document.title" not in page and "<i>z" not in page
    # plotly takes texts for HTML, so that theirs has to be escaped.
    page = page.replace(r"\u0026", "&")
    assert "&lt;b&gt;&amp;amp;" in page and "&lt;i&gt;z" in page


@pytest.mark.parametrize("write", [write_html, write_parquet, write_tensorboard])
def test_nothing_is_replaced_unasked(write, points, tmp_path):
    write(tmp_path / "out", points)
    with pytest.raises(FileExistsError, match="exists"):
        write(tmp_path / "out", points)
    write(tmp_path / "out", points, overwrite=True)


def test_logs_beside_a_projector_are_kept(points, tmp_path):
    write_tensorboard(tmp_path / "logs", points)
    (tmp_path / "logs/train").mkdir()
    with pytest.raises(ValueError, match=r"files alone.*'train'"):
        write_tensorboard(tmp_path / "logs", points, overwrite=True)
    assert (tmp_path / "logs/train").is_dir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("a")
    with pytest.raises(ValueError, match="something else"):
        write_tensorboard(tmp_path / "text", points, overwrite=True)


@pytest.mark.slow
def test_a_browser_shows_points_and_labels(points, tmp_path):
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
    labels = re.findall('class="legendtext"[^>]*>([^<]*)', page)
    assert [html.unescape(label) for label in labels] == ["x", "y", "<i>z"]
    assert "<title>broken" not in page
    look(f"--screenshot={tmp_path / 'shot.png'}")
    picture = (255 * image.imread(tmp_path / "shot.png")[..., :3]).round().astype(int)
    # The first label's points, there and in the legend, have plotly's first colour.
    assert np.sum(np.all(picture == (0x63, 0x6E, 0xFA), axis=-1)) > 50


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "river.txt").write_text("the bank of the river\nthe boat\n")
    (tmp_path / "money.txt").write_text("money in the bank\n")
    main(["project", "*.txt", "all"])
    assert "wrote 3 points to all: tensorboard" in capsys.readouterr().out
    rows = (tmp_path / "all/metadata.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == ["money.txt"] + ["river.txt"] * 2
    words = ["river.txt", "money.txt", "bank.HTML", "--word", "bank", "dog"]
    main(["project", *words, "--layer", "lstm_outputs1", "--limit", "2"])
    output = capsys.readouterr().out
    assert "note: no 'dog' in the text\nnote: the first 2 of 'bank'" in output
    assert "wrote 2 points to bank.HTML" in output
    for arguments, message in [
        (words, "bank.HTML.*exists"),
        (["river.txt", "all"], "all.*exists"),
        (["none.txt", "b.html"], "none.txt"),
        (["-", "-", "b.html"], "standard input at most once"),
        (["river.txt", "b.html", "--word", "dog"], "'dog'"),
        (["river.txt", "b.html", "--layer", "top"], "`layer` should be"),
    ]:
        with pytest.raises(SystemExit, match=message):
            main(["project", *arguments])
    assert not (tmp_path / "b.html").exists()
    main(["project", *words, "--force"])
    (tmp_path / "bytes.txt").write_bytes(b"the \xff bank")
    main(["project", "bytes.txt", "bytes.html", "--word", "\udcff", "\udcfe"])
    output = capsys.readouterr().out
    assert "note: no '\\udcfe'" in output and "udcff" not in output


def test_files_of_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("a cat\n")
    main(["project", "x/a.txt", "y/a.txt", "out.parquet"])
    labels = parquet.read_table("out.parquet")["label"].to_pylist()
    assert labels == ["x/a.txt", "y/a.txt"]
