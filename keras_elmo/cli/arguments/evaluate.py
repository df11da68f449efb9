"""The arguments of `keras-elmo evaluate`."""

import argparse
from pathlib import Path

from keras_elmo.cli.arguments.choices import TOKENIZERS
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
How good is a biLM? Its perplexity on text, and what its layers know.

With --text, the perplexity of both directions, over all words of the vocabulary.
With --probe, the accuracy of small classifiers on every layer, on what the folder
holds of Senseval's lexical samples (*.pos), Universal Dependencies (*train*.conllu
with *dev*.conllu or *test*.conllu) and WiC (folders train and dev).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("--text", nargs="+", metavar="GLOB", help="one sentence a line")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--batch-size", type=int, default=16, help="rows to cut the text into")
    add("--unroll-steps", type=int, default=20, help="tokens to read at once")
    add("--probe", type=Path, metavar="FOLDER", help="tagged text")
