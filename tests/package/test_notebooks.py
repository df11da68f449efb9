"""The notebooks run from the first cell to the last, and print what is expected."""

import asyncio
import re

import pytest
from novel_file import write_novel
from review_files import write_reviews

jupyter_client = pytest.importorskip("jupyter_client")
pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
import notebook_runs  # noqa: E402

NOTEBOOKS = sorted(notebook_runs.FOLDER.glob("*.ipynb"))
# By notebook and id of a cell: what has to be among its outputs.
EXPECTED = {
    "adaptation": {
        "adapt-a-language-model-to-other-text-code": "sentences to read",
        # The text, and with it the number, is another in each Python.
        "after-code": re.compile(r"perplexity 1\d\d, 2\d\d before"),
        "after-code-2": "object",
        "embed-code": "(1, 256)",
    },
    "contextual_vectors": {
        "seen-code": "Figure size 1120x280 with 4 Axes",
        "used-code": "bank",
        "used-code-2": "of a river",
        "in-the-browser-code": re.compile(
            r"/bank\.html\n.*/metadata\.tsv\n.*/projector_config\.pbtxt\n"
        ),
    },
    "layer_mix": {
        "the-mixes-code": "noun or verb 1.00",
        "the-mixes-code-2": "Figure size",
    },
    "migration": {
        "tf-hub-in-tensorflow-1-code": "TensorShape([2, 6, 256])",
        "allennlp-s-elmo-code": "[ True  True False]], shape=(2, 3), dtype=bool)",
        "allennlp-elmo-code": "wrote elmo_layers.hdf5",
        "allennlp-elmo-code-2": "(3, 6, 256)",
        "bilm-tf-code": "TensorShape([2, 3, 256])",
        "bilm-tf-code-2": "TensorShape([2, 3, 3, 256])",
        "bilm-tf-code-3": "(3, 6, 256)",
        "simple-elmo-code": "(2, 3, 256)",
    },
    "phrases": {
        "to-train-on-and-to-test-code": "to test",
        "word-by-word-code": "word by word: 1.00",
    },
    "quickstart": {
        "sentences-code": "lstm_outputs2  (2, 7, 256)",
        "tokens-code": "True",
        "many-sentences-code": "Figure size",
        "in-a-keras-model-code": "accuracy 1.0",
        "save-and-load-code": "True",
    },
    "search": {
        "search-exactly-code": "We all ate our supper together",
        "millions-of-sentences-code": "100%",
    },
    "sentiment": {
        "sentiment-of-film-reviews-code": "20 reviews to train on, 20 to test",
        "beside-bag-of-words-code": "test accuracy 1.000",
        "reviews-of-your-own-and-the-model-on-dis-code": "the same from disk: True",
    },
}
# Notebooks train for less here, because what they print is to be seen then, too.
SHORTER = {
    "adaptation": {"steps=80": "steps=20", "batch_size=32": "batch_size=16"},
    "layer_mix": {"epochs=20": "epochs=6"},
    "phrases": {"epochs=20": "epochs=8"},
}

# Some notebooks print other things here, because they train for less or read another
# text.
OTHERS = {*SHORTER, "sentiment"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kernel():
    """One kernel for all notebooks, since each would import TensorFlow anew."""
    manager = jupyter_client.AsyncKernelManager()
    yield manager
    asyncio.run(manager.shutdown_kernel(now=True))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_has_its_outputs(path, kernel, tmp_path):
    """Where it fails after a change, `helpers/keep_outputs.py` writes them anew."""
    # The notebooks that would fetch a text take one of ours.
    novel = write_novel(tmp_path / "novel.txt")
    reviews = write_reviews(tmp_path / "imdb")
    notebook = nbformat.reads(_shortened(path), as_version=4)
    nbformat.validate(notebook)
    notebook_runs.execute(
        notebook, kernel, tmp_path, NOVEL=str(novel), IMDB=str(reviews)
    )
    printed = {cell.id: notebook_runs.text_of(cell) for cell in notebook.cells}
    for cell, expected in EXPECTED[path.stem].items():
        if isinstance(expected, str):
            expected = re.compile(re.escape(expected))
        assert expected.search(printed[cell]), cell
    notebook_runs.keep_outputs(notebook)
    committed = nbformat.read(path, as_version=4)
    for cell, again in zip(committed.cells, notebook.cells, strict=True):
        assert notebook_runs.kinds_of(cell) == notebook_runs.kinds_of(again), cell.id
        if path.stem not in OTHERS:
            assert _without_numbers(cell) == _without_numbers(again), cell.id


def _shortened(path):
    source = path.read_text("utf-8")
    for code, shorter in SHORTER.get(path.stem, {}).items():
        assert source.count(code) == 1
        source = source.replace(code, shorter)
    return source


def _without_numbers(cell):
    """What a cell printed, but for what another processor may round otherwise."""
    return re.sub(r"[-\d\s]+", "", notebook_runs.text_of(cell))
