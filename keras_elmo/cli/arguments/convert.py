"""The arguments of `keras-elmo convert`."""

import argparse
from pathlib import Path

from keras_elmo.cli.arguments.choices import TARGETS
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Convert pretrained weights from one format to another, without loss.

SOURCE may be of any format. TARGET is a folder for a preset or for the checkpoint of a
TF-Hub module (--to tfhub), or a file NAME.hdf5, beside which NAME.options.json is
written. What is written is read again and compared bit for bit. What a format has no
place for goes into an object `keras_elmo` of the options, or into keras_elmo.json
beside the checkpoint. Nothing that exists is replaced without --force.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("target", type=Path, help="folder, or .hdf5 file, to write")
    add("--to", choices=TARGETS, help="(default: by the target's name)")
    add("--vocabulary", type=Path, help="words of a bilm-tf checkpoint's softmax")
    add("--cache-words", type=Path, help="words to store the word_emb of, one a line")
    add("--warm-up", type=Path, help="sentences to store the state after, one a line")
    add("--force", action="store_true", help="replace TARGET if it exists")
    add(
        "--allow-differences",
        action="store_true",
        help="write even what the format's other readers would compute differently",
    )
