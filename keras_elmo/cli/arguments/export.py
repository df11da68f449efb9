"""The arguments of `keras-elmo export`."""

import argparse
from pathlib import Path

from keras_elmo.cli.arguments.choices import START_STATES, TOKENIZERS
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Write a SavedModel, for servers and programs without this package.

It has the signatures default (also named serving_default) for sentences, and tokens.
With the tokenizer unicode_script, what loads it has to load the ops of tensorflow-text
first.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("folder", type=Path, metavar="FOLDER", help="folder to write")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add(
        "--start-state",
        choices=START_STATES,
        default="zeros",
        help="what sentences start from: zeros, or the state that is stored",
    )
    add(
        "--warm-up",
        type=Path,
        metavar="FILE",
        help="up to 333 sentences, one a line, that TensorFlow Serving embeds before "
        "it answers",
    )
    add("--force", action="store_true", help="replace FOLDER if it is a SavedModel")
