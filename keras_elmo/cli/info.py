"""What pretrained weights are: sizes, parameters, boundaries, provenance.

No tensor is read. Without SOURCE, the models that are known by name.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_elmo.bilm import BiLM
from keras_elmo.presets import find_published, names, published_models
from keras_elmo.weights.formats import HELP, open_source

_PARTS = {
    "char_embedding": "characters",
    "convolution": "convolutions",
    "highway": "highway layers",
    "projection": "projection",
    "lstm": "LSTMs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="*", help=HELP)
    parser.add_argument("--json", action="store_true", help="for programs to read")


def run(args: argparse.Namespace) -> None:
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


def known_models() -> dict[str, Any]:
    """The models that are known by name, and what is known of them."""
    own = {name: "comes with the package" for name in names()}
    others = {
        model.name: {
            "language": model.language,
            "corpus": model.corpus,
            "parameters": model.parameters or "not known",
            "bytes": model.size or "not known",
            "licence": model.licence,
            "citation": model.citation,
            "addresses": list(model.files.values()),
        }
        for model in published_models()
    }
    return {**own, **others}


def describe(names_of_source: Sequence[str]) -> dict[str, Any]:
    """What `keras-elmo info` prints, in plain values.

    Raises:
        FileNotFoundError: if there are no such weights.
        ValueError: if sizes and tensors do not belong together.
    """
    source = open_source(names_of_source)
    published = find_published(names_of_source[0])
    shapes = source.check(BiLM)
    parameters: Counter[str] = Counter()
    for name, shape in shapes.items():
        parameters[_PARTS[name.split("/")[0].rstrip("_0123456789")]] += math.prod(shape)
    return {
        "format": source.format,
        "read from": source.origin,
        "sentence boundaries": source.sentence_boundaries,
        "sizes and settings": {
            key: value
            for key, value in source.arguments.items()
            if key != "sentence_boundaries"
        },
        "parameters": {**parameters, "in all": parameters.total()},
        "embedding": dict(source.embedding) or "as usual",
        "mix": dict(source.mix) if source.mix else "none: all layers alike",
        "besides": sorted(source.parts) or "nothing",
        "vocabulary": str(source.vocabulary) if source.vocabulary else "no",
        "metadata": dict(source.metadata) or "none",
        "published": known_models()[published.name] if published else "not by name",
    }


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list) and value and isinstance(value[0], str):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
