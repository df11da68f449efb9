"""The arguments of every subcommand.

No module that is imported here imports TensorFlow, so that `--help` is quick.
"""

import argparse
from pathlib import Path

from keras_elmo.cli.help import WEIGHTS, HelpFormatter
from keras_elmo.version import __version__

# The names are repeated from modules that import TensorFlow, which help must not wait
# for; a test compares them.
TOKENIZERS = ("space", "whitespace", "unicode_script")
DTYPES = ("float32", "float16", "bfloat16")
TARGETS = ("preset", "hdf5", "tfhub")
LAYERS = ("all", "top", "average", "elmo", "default")
FORMATS = ("hdf5", "parquet", "npy")
STORED_DTYPES = ("float32", "float16")
START_STATES = ("zeros", "warm")
STRATEGIES = ("none", "mirrored", "multi-worker")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    parser = argparse.ArgumentParser(prog="keras-elmo", description="ELMo in Keras.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (add_arguments, description) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            formatter_class=HelpFormatter,
        )
        add_arguments(command)
    return parser


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="*", help=WEIGHTS)
    parser.add_argument("--json", action="store_true", help="for programs to read")


def _add_verify(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("--as", dest="name", help="the published model that it is (default: by SOURCE)")


def _add_embed(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="text, a pattern, or - for stdin")
    add("output", type=Path, metavar="OUTPUT", help="file or folder to write")
    add("--weights", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    add("--layers", choices=LAYERS, default="all", help="what to store of a sentence")
    add("--format", choices=FORMATS, help="(default: by the name of OUTPUT)")
    add("--dtype", choices=STORED_DTYPES, default="float32", help="of the vectors")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--max-tokens", type=int, metavar="N", help="of a batch (default: 4096)")
    add(
        "--lines-per-shard",
        type=int,
        metavar="N",
        help="lines of a unit of work (default: as many as make 512 KiB of text)",
    )
    add(
        "--shard",
        metavar="I/N",
        help="compute part I of N, with I from 1 to N or from 0 to N - 1; the last "
        "part finishes OUTPUT",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "--resume", action="store_true", help="go on with OUTPUT, if it is there"
    )
    existing.add_argument(
        "--overwrite", action="store_true", help="replace OUTPUT, if it is there"
    )
    add(
        "--ignore-free-space",
        action="store_true",
        help="start even where the disk seems too small",
    )
    add(
        "--check",
        action="store_true",
        help="only tell what of OUTPUT is missing or damaged; takes no INPUT",
    )


def _add_elmo(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("input_file", help="text, a sentence a line, or - for standard input")
    add("output_file", help="file of HDF5 to write, or to replace")
    layers = parser.add_mutually_exclusive_group(required=True)
    for name, text in (
        ("all", "store every layer, (layers, tokens, dim)"),
        ("top", "store the last layer, (tokens, dim)"),
        ("average", "store the mean of all layers, (tokens, dim)"),
    ):
        layers.add_argument(
            f"--{name}", dest="layers", action="store_const", const=name, help=text
        )
    add("--vocab-path", help="has no effect, as in AllenNLP")
    add("--options-file", help="path or address of options.json, or a model's name")
    add("--weight-file", help="path or address of weights.hdf5 (default: tiny_en)")
    add("--batch-size", type=int, default=64, help="sentences of a batch, if stateful")
    add(
        "--file-friendly-logging",
        action="store_true",
        help="has no effect: progress is shown on terminals only",
    )
    add("--cuda-device", type=int, default=-1, help="of a GPU, if there should be one")
    add("--forget-sentences", action="store_true", help="leave out sentence_to_index")
    add("--use-sentence-keys", action="store_true", help="in place of their numbers")
    add("--include-package", action="append", help="has no effect")
    add(
        "--stateful",
        action="store_true",
        help="carry the state of the LSTMs from batch to batch, as AllenNLP does",
    )


def _add_convert(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("target", type=Path, help="folder, or .hdf5 file, to write")
    add("--to", choices=TARGETS, help="(default: by the target's name)")
    add("--vocabulary", type=Path, help="words of a bilm-tf checkpoint's softmax")
    add("--cache-words", type=Path, help="words to store the word_emb of, one a line")
    add("--warm-up", type=Path, help="sentences to store the state after, one a line")
    add("--force", action="store_true", help="replace TARGET if it exists")
    add(
        "--allow-differences",
        action="store_true",
        help="write even what the format's other readers would compute differently",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("folder", type=Path, metavar="FOLDER", help="folder to write")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add(
        "--start-state",
        choices=START_STATES,
        default="zeros",
        help="what sentences start from: zeros, or the state that is stored",
    )
    add(
        "--warm-up",
        type=Path,
        metavar="FILE",
        help="up to 333 sentences, one a line, that TensorFlow Serving embeds before "
        "it answers",
    )
    add("--force", action="store_true", help="replace FOLDER if it is a SavedModel")


def _add_train(parser: argparse.ArgumentParser) -> None:
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
    add("--interval", type=int, default=1000, help="steps between checkpoints")
    add("--seed", type=int, default=1)
    add("--distribute", choices=STRATEGIES, default="none")
    add("--tensorboard", action="store_true", help="write logs for it")
    add("--metadata", type=Path, help="JSON to add to the preset's metadata.json")
    add("--dtype", choices=DTYPES, default="float32", help="of the preset's weights")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=WEIGHTS)
    add("--text", nargs="+", metavar="GLOB", help="one sentence a line")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--batch-size", type=int, default=16, help="rows to cut the text into")
    add("--unroll-steps", type=int, default=20, help="tokens to read at once")
    add("--probe", type=Path, metavar="FOLDER", help="tagged text")


def _add_score(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="text, a pattern, or - for stdin")
    add("--weights", default="tiny_en", metavar="SOURCE", help="with a softmax")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--per-token", action="store_true", help="a row for every token")
    form.add_argument("--json", action="store_true", help="all of it, an object a line")
    add("--tokenizer", choices=TOKENIZERS, help="(default: the preset's)")
    add("--max-tokens", type=int, default=4096, metavar="N", help="to read at once")


_COMMANDS = {
    "info": (
        _add_info,
        """What pretrained weights are: sizes, parameters, boundaries, provenance.

No tensor is read. Without SOURCE, the models that are known by name.
""",
    ),
    "verify": (
        _add_verify,
        """Are these weights what they are said to be?

Computes what others printed of the published model, and tells the differences; tries
both settings of sentence boundaries if they are too large. Where nothing was printed,
checks that outputs are finite and do not depend on the batch, and tells norms, clips.
""",
    ),
    "convert": (
        _add_convert,
        """Convert pretrained weights from one format to another, without loss.

SOURCE may be of any format. TARGET is a folder for a preset or for the checkpoint of a
TF-Hub module (--to tfhub), or a file NAME.hdf5, beside which NAME.options.json is
written. What is written is read again and compared bit for bit. What a format has no
place for goes into an object `keras_elmo` of the options, or into keras_elmo.json
beside the checkpoint. Nothing that exists is replaced without --force.
""",
    ),
    "export": (
        _add_export,
        """Write a SavedModel, for servers and programs without this package.

It has the signatures default (also named serving_default) for sentences, and tokens.
With the tokenizer unicode_script, what loads it has to load the ops of tensorflow-text
first.
""",
    ),
    "embed": (
        _add_embed,
        """Embed whole corpora: text files, one sentence a line.

OUTPUT is an HDF5 file in the layout of `allennlp elmo` if it is named .hdf5; a folder
of Parquet files if it is named .parquet; or else a folder of NumPy files. Entry i is
that of line i, from 0 on; that of an empty line has no tokens. keras_elmo.bulk.open
reads all of them. What a killed run had finished is kept for --resume, which gives the
same bytes as if nothing had happened.
""",
    ),
    "elmo": (
        _add_elmo,
        """Embed a file of sentences, with the arguments of `allennlp elmo`.

The text is tokenized, tokens separated by white space, without empty lines; it has to
fit into memory. A dataset of float32 is written for each line, named by its number from
0 on, and `sentence_to_index`, JSON of the number of each sentence. Unlike AllenNLP's
command, it starts every sentence from zeros unless --stateful is given, and writes all
of the file or nothing. `keras-elmo embed` is for text of any size, and can resume.
""",
    ),
    "train": (
        _add_train,
        """Train a biLM on text, from scratch or from pretrained weights.

The same command, given again, goes on where an earlier one was interrupted.
""",
    ),
    "evaluate": (
        _add_evaluate,
        """How good is a biLM? Its perplexity on text, and what its layers know.

With --text, the perplexity of both directions, over all words of the vocabulary.
With --probe, the accuracy of small classifiers on every layer, on what the folder
holds of Senseval's lexical samples (*.pos), Universal Dependencies (*train*.conllu
with *dev*.conllu or *test*.conllu) and WiC (folders train and dev).
""",
    ),
    "score": (
        _add_score,
        """How probable are these sentences? Text files, one sentence a line.

Prints a table, columns separated by tabs. Of each line, counted from 1 through all
INPUTs: its tokens, those that are not in the vocabulary and count as <UNK>; the
log-probability (natural logarithm) that each direction gives to the whole line, the
boundary that it ends with included; their mean over all predictions; and the
perplexity, exp(-mean). Each line is read by itself. With --per-token, the
log-probability of every token: no direction predicts the boundary that it begins with.
SOURCE is a preset with a softmax, or a checkpoint of bilm-tf.
""",
    ),
}
