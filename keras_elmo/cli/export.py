"""Writes a SavedModel."""

import argparse
import warnings

from keras_elmo.cli.lines import read_lines
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.embedding.saved_model import check_target
from keras_elmo.weights.open_weights import open_weights


def run(args: argparse.Namespace) -> None:
    # Loading takes long, so a folder that is refused is refused before.
    check_target(args.folder, args.force)
    warm_up = None if args.warm_up is None else read_lines(args.warm_up)
    kwargs = {"start_state": args.start_state}
    if args.tokenizer is not None:
        kwargs["tokenizer"] = args.tokenizer
    elmo = ElmoEmbedding.from_stored_model(open_weights(args.source), **kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        # TensorFlow's are of no use to who exports.
        warnings.simplefilter("ignore", DeprecationWarning)
        elmo.export(args.folder, overwrite=args.force, warm_up=warm_up)
    for warning in caught:
        print(f"note: {warning.message}")
    print(f"wrote {args.folder}, with the signatures default and tokens")
