"""The pretrained model that comes with the package."""

import json
import shutil

import numpy as np
import pytest

from keras_elmo import ElmoEmbedding, presets
from keras_elmo.examples import word_in_context
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.text_corpus import TextCorpus
from keras_elmo.pretraining.training import evaluate

FOLDER = presets.locate("tiny_en")
# These sentences are in no corpus that it was trained on.
TEXT = """The old woman closed the door and sat down by the fire .
" I do not know what you mean , " said the young man .
There was nothing to be seen but the sea and the sky .
He had been waiting for an hour when the train came in at last .
The members of the committee will meet again in the spring .
"""


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedding.from_preset("tiny_en")


def test_it_is_known_by_its_name_and_small():
    assert "tiny_en" in presets.bundled()
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 16e6


def test_two_layers_between_boundaries(elmo):
    outputs = elmo(["the cat sat"])
    assert outputs["word_emb"].shape == (1, 3, 128)
    assert outputs["lstm_outputs2"].shape == (1, 3, 256)
    assert elmo.sentence_boundaries


def test_embedding_needs_neither_vocabulary_nor_softmax(elmo, tmp_path):
    for name in ("config.json", "model.npz", "metadata.json"):
        shutil.copy(FOLDER / name, tmp_path)
    alone = ElmoEmbedding.from_preset(tmp_path)
    np.testing.assert_array_equal(alone(["a cat"])["elmo"], elmo(["a cat"])["elmo"])


def test_metadata_tells_where_it_comes_from():
    metadata = json.loads((FOLDER / "metadata.json").read_text())
    assert metadata["command"].startswith("keras-elmo train ")
    assert {"data", "license", "seed", "steps", "tokens", "perplexity"} <= set(metadata)


def test_a_word_differs_from_context_to_context(elmo):
    sentences = word_in_context.SENTENCES
    without = word_in_context.compare(elmo, "bank", sentences, "word_emb")
    np.testing.assert_allclose(without, 1.0, atol=1e-5)
    within = word_in_context.compare(elmo, "bank", sentences, "lstm_outputs2")
    same_meaning, other_meaning = within[[0, 2], [1, 3]], within[:2, 2:]
    assert same_meaning.min() > other_meaning.max() + 0.02


def test_it_predicts_words(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    model = LanguageModel.from_preset("tiny_en", batch_size=1)
    sentences = [line.split() for line in TEXT.splitlines()]
    shuffled = [np.random.default_rng(0).permutation(line) for line in sentences]
    for score, other in zip(model.score(sentences), model.score(shuffled), strict=True):
        assert score.perplexity < 60 and other.perplexity > 600
        assert not score.is_unknown.any()
    found = model.substitutes("The old woman closed the door and sat down .", 5, n=3)
    assert [word for word, _ in found] == ["door", "window", "room"]
    results = evaluate(model, TextCorpus(path))
    # As recorded when it was made: none of its files has changed.
    assert results["forward_perplexity"] == pytest.approx(11.701, rel=1e-3)
    assert results["backward_perplexity"] == pytest.approx(12.105, rel=1e-3)
