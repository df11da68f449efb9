"""The arguments of `keras-elmo train`."""

import argparse
from pathlib import Path

from keras_elmo.cli.arguments.choices import DTYPES, STRATEGIES, TOKENIZERS
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Train a biLM on text, from scratch or from pretrained weights.

The same command, given again, goes on where an earlier one was interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--text", nargs="+", required=True, metavar="GLOB", help="one sentence a line")
    add("--output", type=Path, required=True, help="folder of the run")
    add("--validation", nargs="+", metavar="GLOB", help="text to compute perplexity of")
    add("--from", nargs="+", dest="source", help=f"weights to go on from: {WEIGHTS}")
    add("--options", type=Path, help="options.json with the sizes of a new biLM")
    add("--tokenizer", choices=TOKENIZERS, default="space")
    add("--vocabulary", type=Path, help="words to predict (default: from the text)")
    add("--min-count", type=int, default=3, help="of a word of the vocabulary")
    add("--max-words", type=int, help="of the vocabulary")
    add("--epochs", type=float, default=10, help="times through the text")
    add("--tokens", type=int, help="to train on, in place of --epochs")
    add("--softmax-tokens", type=int, default=1_000_000, help="for a new softmax only")
    add("--batch-size", type=int, default=64, help="rows of a batch, a replica")
    add("--unroll-steps", type=int, default=20, help="tokens of a row")
    add("--num-samples", type=int, default=8192, help="of the sampled softmax")
    add("--dropout", type=float, default=0.1)
    add("--learning-rate", type=float, default=0.004, help="its peak")
    add("--clip-norm", type=float, default=1.0, help="bound of the gradients' norm")
    add(
        "--averaging",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the steps, over which weights are averaged",
    )
    add("--interval", type=int, default=1000, help="steps between checkpoints")
    add("--seed", type=int, default=1)
    add("--distribute", choices=STRATEGIES, default="none")
    add("--tensorboard", action="store_true", help="write logs for it")
    add("--metadata", type=Path, help="JSON of what else to tell of the weights")
    add("--dtype", choices=DTYPES, default="float32", help="of the preset's weights")
