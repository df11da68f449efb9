"""The arguments of `keras-elmo score`."""

import argparse

from keras_elmo.cli.arguments.choices import TOKENIZERS

DESCRIPTION = """\
How probable are these sentences? Text files, one sentence a line.

Prints a table, columns separated by tabs. Of each line, counted from 1 through all
INPUTs: its tokens, those that are not in the vocabulary and count as <UNK>; the
log-probability (natural logarithm) that each direction gives to the whole line, the
boundary that it ends with included; their mean over all predictions; and the
perplexity, exp(-mean). Each line is read by itself. With --per-token, the
log-probability of every token: no direction predicts the boundary that it begins with.
SOURCE is a preset with a softmax, or a checkpoint of bilm-tf.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="text, a pattern, or - for stdin")
    add("--weights", default="tiny_en", metavar="SOURCE", help="with a softmax")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--per-token", action="store_true", help="a row for every token")
    form.add_argument("--json", action="store_true", help="all of it, an object a line")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--max-tokens", type=int, default=4096, metavar="N", help="to read at once")
