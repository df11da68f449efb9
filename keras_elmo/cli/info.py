"""What pretrained weights are: sizes, parameters, boundaries, provenance.

No tensor is read.
"""

import argparse
import json
import math
from collections import Counter
from typing import Any

from keras_elmo.bilm import BiLM
from keras_elmo.weights.formats import HELP, open_source
from keras_elmo.weights.source import Source

_PARTS = {
    "char_embedding": "characters",
    "convolution": "convolutions",
    "highway": "highway layers",
    "projection": "projection",
    "lstm": "LSTMs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="+", help=HELP)
    parser.add_argument("--json", action="store_true", help="for programs to read")


def run(args: argparse.Namespace) -> None:
    facts = describe(open_source(args.source))
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


def describe(source: Source) -> dict[str, Any]:
    """What `keras-elmo info` prints, in plain values.

    Raises:
        ValueError: if sizes and tensors do not belong together.
    """
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
        "embedding": dict(source.embedding),
        "mix": dict(source.mix) if source.mix else "none: all layers alike",
        "besides": sorted(source.parts) or "nothing",
        "vocabulary": str(source.vocabulary) if source.vocabulary else "no",
        "metadata": dict(source.metadata) or "none",
    }


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list) and value and isinstance(value[0], str):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
