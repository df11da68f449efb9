"""Are these weights what they are said to be?

Computes what others printed of the published model, and tells the differences; tries
both settings of sentence boundaries if they are too large. Where nothing was printed,
checks that outputs are finite and do not depend on the batch, and tells norms, clips.
"""

import argparse
import sys

from keras_elmo.presets import find_published
from keras_elmo.verification.verify import verify
from keras_elmo.weights.open_weights import HELP, open_weights

_MARKS = {True: "pass", False: "FAIL", None: "    "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=HELP)
    add("--as", dest="name", help="the published model that it is (default: by SOURCE)")


def run(args: argparse.Namespace) -> None:
    result = verify(open_weights(args.source), _published_name(args))
    for check in result.checks:
        print(f"{_MARKS[check.passed]}  {check.name}: {check.detail}")
    print(result.advice)
    if not result.passed:
        sys.exit("keras-elmo verify: failed")


def _published_name(args: argparse.Namespace) -> str | None:
    model = find_published(args.name or args.source[0])
    if args.name and model is None:
        raise ValueError(
            "`--as` should be the name of a published model, see `keras_elmo.presets`. "
            f"Received: {args.name!r}"
        )
    return model.name if model else None
