"""Prints what pretrained weights are."""

import argparse
import json
import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from keras_elmo.bilm import BiLM
from keras_elmo.presets import (
    PublishedModel,
    bundled,
    find_published,
    published_models,
)
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel

_PARTS = {
    "char_embedding": "characters",
    "word_embedding": "words",
    "convolution": "convolutions",
    "highway": "highway layers",
    "projection": "projection",
    "lstm": "LSTMs",
}


def run(args: argparse.Namespace) -> None:
    if not args.source and not args.json:
        _print_table()
        return
    facts = describe(args.source) if args.source else known_models()
    if args.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {key:22} {_shown(inner)}")
        else:
            print(f"{name:24} {_shown(value)}")


def _print_table() -> None:
    """Prints one line a model that is known by name."""
    row = "{:24} {:8} {:>12}  {}"
    print(row.format("name", "language", "parameters", "corpus"))
    for name in bundled():
        stored = open_weights(name)
        parameters = f"{_parameters(stored).total():,}"
        language = stored.metadata.get("language", "")
        print(row.format(name, language, parameters, "comes with the package"))
    for model in published_models():
        parameters = f"{model.parameters:,}" if model.parameters else "not known"
        corpus = textwrap.shorten(model.corpus, 40, placeholder=" ...")
        print(row.format(model.name, model.language, parameters, corpus))
    print(f"\n{_unreached()}")


def _unreached() -> str:
    """Which addresses nobody has tried who wrote this package."""
    models = published_models()
    names = [model.name for model in models if not model.reached]
    which = "all addresses" if len(names) == len(models) else f"those of {names}"
    text = (
        f"Never reached from where this package was made: {which}. They are as other "
        "people's documentation or code has them; --json says whose. nlpl/NUMBER is "
        "any model of NLPL's repository."
    )
    return textwrap.fill(text, 88)


def known_models() -> dict[str, Any]:
    """The models that are known by name, and what is known of them."""
    own = {name: "comes with the package" for name in bundled()}
    others = {model.name: _facts(model) for model in published_models()}
    return {**own, **others}


def _facts(model: PublishedModel) -> dict[str, Any]:
    return {
        "language": model.language,
        "corpus": model.corpus,
        "parameters": model.parameters or "not known",
        "bytes": model.size or "not known",
        "licence": model.licence,
        "citation": model.citation,
        "addresses": list(model.files.values()),
        "addresses from": model.addresses_from,
        "reached": "once at least" if model.reached else "never",
    }


def describe(names_of_source: Sequence[str]) -> dict[str, Any]:
    """What `keras-elmo info` prints, in plain values.

    Raises:
        FileNotFoundError: if there are no such weights.
        ValueError: if sizes and tensors do not belong together.
    """
    stored = open_weights(names_of_source)
    published = find_published(names_of_source[0])
    parameters = _parameters(stored)
    return {
        "format": stored.format,
        "read from": stored.origin,
        "sentence boundaries": stored.sentence_boundaries,
        "sizes and settings": {
            key: value
            for key, value in stored.arguments.items()
            if key != "sentence_boundaries"
        },
        "parameters": {**parameters, "in all": parameters.total()},
        "embedding": _brief(stored.embedding) or "as usual",
        "mix": dict(stored.mix) if stored.mix else "none: all layers alike",
        "besides": sorted(stored.extra_weights) or "nothing",
        "vocabulary": str(stored.vocabulary) if stored.vocabulary else "no",
        "metadata": dict(stored.metadata) or "none",
        "published": _facts(published) if published else "not by name",
    }


def _brief(embedding: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an embedding, but how many words and characters there are."""
    brief = dict(embedding)
    if "token_vocabulary" in brief:
        vocabulary = brief["token_vocabulary"]
        characters, words = (vocabulary.get(key) for key in ("characters", "words"))
        brief["token_vocabulary"] = (
            f"{len(characters or ''):,} characters, {len(words or []):,} words"
        )
    if "cached_words" in brief:
        brief["cached_words"] = f"{len(brief['cached_words']):,} words"
    return brief


def _parameters(stored: StoredModel) -> Counter[str]:
    """How many parameters each part of the biLM has."""
    parameters: Counter[str] = Counter()
    for name, shape in stored.check(BiLM).items():
        parameters[_PARTS[name.split("/")[0].rstrip("_0123456789")]] += math.prod(shape)
    return parameters


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list) and value and isinstance(value[0], str):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
