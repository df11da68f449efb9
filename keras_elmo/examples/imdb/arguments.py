"""Arguments of the script."""

import argparse
from pathlib import Path

from keras_elmo.cli.help import WEIGHTS, HelpFormatter

# They are listed here once more because the help text should not wait for TensorFlow,
# which the module that makes them imports.
HEADS = ("mean", "attention", "convolution", "bilstm")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The arguments, checked as far as they can be by themselves."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_elmo.examples.imdb",
        description="Tell the sentiment of film reviews from ELMo embeddings. The same "
        "command, given again, goes on where an earlier one was interrupted.",
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder or tar.gz (default: download the tar.gz)")
    add("--elmo", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    add("--head", choices=HEADS, default="convolution", help="what reads the mix")
    layer = "one layer in place of the mix, 0 for word_emb (default: the mix of all)"
    add("--layer", type=int, metavar="NUMBER", help=layer)
    add("--max-tokens", type=int, default=400, help="tokens of a review to read")
    add("--limit", type=int, help="number of reviews of each split (default: all)")
    add("--validation-split", type=float, default=0.1, help="share of the train split")
    words = "size of word embeddings that the head reads too (default: none)"
    add("--words", type=int, default=0, metavar="DIM", help=words)
    add("--dropout", type=float, default=0.0, help="of what the head reads")
    add("--epochs", type=int, default=8, help="of the mix and the head")
    add("--batch-size", type=int, default=32, help="reviews of a step")
    add("--learning-rate", type=float, default=1e-3, help="its peak")
    add("--seeds", type=int, nargs="+", default=[1], help="a classifier of each")
    add("--dtype", choices=("int16", "float32"), default="int16", help="of vectors")
    add(
        "--compare", type=int, default=256, help="test reviews to tell from strings too"
    )
    add("--baseline", action="store_true", help="train simpler methods too")
    adaptation = parser.add_argument_group("train the biLM too, which takes far longer")
    add = adaptation.add_argument
    add("--adapt", action="store_true", help="go on to train it as a language model")
    add(
        "--adapt-text",
        type=Path,
        help="tokens joined by spaces, read in place of the reviews without a label",
    )
    add("--adapt-epochs", type=float, default=1.0, help="times through that text")
    add("--finetune", choices=("lstm", "all"), help="train this part with the head")
    add("--finetune-epochs", type=int, default=2, help="times through the train split")
    add("--finetune-learning-rate", type=float, default=5e-4, help="its peak")
    add = parser.add_argument
    add("--vectors", type=Path, help="folder to keep them in (default: in --output)")
    add("--output", type=Path, default=Path("imdb_output"), help="folder to write to")
    args = parser.parse_args(arguments)
    _check(parser, args)
    return args


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.limit is not None and args.limit < 4:
        parser.error("--limit should be at least 4, two reviews of either label")
    for name in ("max_tokens", "epochs", "batch_size", "compare", "finetune_epochs"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} should be at least 1")
    if args.layer is not None and args.layer < 0:
        parser.error("--layer should be at least 0, which is word_emb")
    if args.words < 0:
        parser.error("--words should be at least 0, for none")
    if not 0 <= args.dropout < 1:
        parser.error("--dropout should be at least 0 and below 1")
    for name in ("learning_rate", "finetune_learning_rate", "adapt_epochs"):
        if not getattr(args, name) > 0:
            parser.error(f"--{name.replace('_', '-')} should be above 0")
    if not 0 < args.validation_split < 1:
        parser.error("--validation-split should be above 0 and below 1")
    if min(args.seeds) < 0 or len(set(args.seeds)) < len(args.seeds):
        parser.error("--seeds should be at least 0, and each of them once")
    if args.adapt_text is not None and not args.adapt:
        parser.error("--adapt-text is for --adapt")
