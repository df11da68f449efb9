"""The arguments of `keras-elmo verify`."""

import argparse

from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Are these weights what they are said to be?

Computes what others printed of the published model, and tells the differences; tries
both settings of sentence boundaries if they are too large. Where nothing was printed,
checks that outputs are finite and do not depend on the batch, and tells norms, clips.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("--as", dest="name", help="the published model that it is (default: by SOURCE)")
