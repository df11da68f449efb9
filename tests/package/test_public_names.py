"""The public names of the subpackages: what users import from each of them."""

import importlib
import importlib.resources
import subprocess
import sys

import pytest
from processes import without_extras

FACES = {
    "compat.allennlp": {"Elmo", "ElmoEmbedder", "batch_to_ids"},
    "bulk": {"Embeddings", "RayData", "check", "embed_corpus", "open"},
    "compat.bilm_tf": {
        "Batcher",
        "BidirectionalLanguageModel",
        "TokenBatcher",
        "dump_bilm_embeddings",
        "dump_token_embeddings",
        "weight_layers",
    },
    "compat.simple_elmo": {"ElmoModel"},
    "compat.strongio": {"ElmoEmbeddingLayer"},
    "compat.tfhub": {"Module"},
    "presets": {
        "PublishedModel",
        "bundled",
        "cache_dir",
        "find_published",
        "locate",
        "published_models",
    },
    "pretraining": {
        "CorpusSize",
        "LanguageModel",
        "Perplexity",
        "SampledSoftmax",
        "SentenceScore",
        "TextCorpus",
        "TrainingForecast",
        "TrainingOptions",
        "TrainingProgress",
        "Vocabulary",
        "evaluate",
        "train",
    },
    "plots": {
        "import_figure",
        "plot_curves",
        "plot_mix_weights",
        "plot_senses",
        "plot_similarity",
    },
    "probing": {
        "embed_words",
        "probe_parts_of_speech",
        "probe_senses",
        "probe_words_in_context",
        "read_pairs",
        "read_senses",
        "read_tags",
    },
    "projector": {
        "Points",
        "sentence_points",
        "word_points",
        "write_html",
        "write_parquet",
        "write_tensorboard",
    },
}


@pytest.mark.parametrize("name", FACES)
def test_public_names(name):
    face = importlib.import_module(f"keras_elmo.{name}")
    assert set(face.__all__) == FACES[name]
    assert all(callable(getattr(face, public)) for public in face.__all__)


@pytest.mark.parametrize("name", FACES)
def test_every_public_name_says_what_it_is(name):
    face = importlib.import_module(f"keras_elmo.{name}")
    assert face.__doc__
    for public in FACES[name]:
        assert getattr(face, public).__doc__, public


def test_type_checkers_are_told_of_the_hints():
    assert importlib.resources.files("keras_elmo").joinpath("py.typed").is_file()


def test_an_import_knows_all_layers_and_needs_no_optional_libraries():
    """Or Keras could not load a model with ELMo inside."""
    program = """
import sys
assert sys.modules["sklearn"] is None  # by `without_extras`
import keras, keras_elmo
name = "keras_elmo>ElmoEmbedding"
assert keras.saving.get_registered_object(name) is keras_elmo.ElmoEmbedding
import keras_elmo.probing
"""
    process = subprocess.run(
        [sys.executable, "-c", program],
        env=without_extras(),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
