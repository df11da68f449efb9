"""Prints whether pretrained weights are what they are said to be."""

import argparse
import sys

from keras_elmo.presets import find_published
from keras_elmo.verification.verify import verify
from keras_elmo.weights.open_weights import open_weights

_MARKS = {True: "pass", False: "FAIL", None: "    "}


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
