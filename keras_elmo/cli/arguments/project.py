"""The arguments of `keras-elmo project`."""

import argparse
from pathlib import Path

from keras_elmo.cli.arguments.choices import PICTURES, TOKENIZERS
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Look at sentences, or at words in them, as points: text files, one sentence a line.

OUTPUT is a page for the browser if it is named .html; a Parquet file, for
embedding-atlas or pandas, if it is named .parquet; or else a folder for TensorBoard's
projector. Points are coloured by their file, or with --word by the word.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="text, a pattern, or - for stdin")
    add("output", type=Path, metavar="OUTPUT", help="file or folder to write")
    add("--word", nargs="+", metavar="WORD", help="show these words, not the sentences")
    add("--layer", default="elmo", help="output to show the vectors of")
    add("--limit", type=int, default=2000, metavar="N", help="points of a file or word")
    add("--to", choices=PICTURES, help="(default: by the name of OUTPUT)")
    add("--weights", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--force", action="store_true", help="replace OUTPUT if it exists")
