"""The arguments of `keras-elmo info`."""

import argparse

from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
What pretrained weights are: sizes, parameters, boundaries, provenance.

No tensor is read. Without SOURCE, the models that are known by name.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="*", help=WEIGHTS)
    parser.add_argument("--json", action="store_true", help="for programs to read")
