"""The arguments of `keras-elmo embed`."""

import argparse

from keras_elmo.cli.arguments.choices import (
    ENGINES,
    FORMATS,
    LAYERS,
    STORED_DTYPES,
    TOKENIZERS,
)
from keras_elmo.cli.help import WEIGHTS

DESCRIPTION = """\
Embed whole corpora: text files, one sentence a line.

OUTPUT is an HDF5 file in the layout of `allennlp elmo` if it is named .hdf5; a folder
of Parquet files if it is named .parquet; or else a folder of NumPy files. Entry i is
that of line i, from 0 on; that of an empty line has no tokens. keras_elmo.bulk.open
reads all of them. What a killed run had finished is kept for --resume, which gives the
same bytes as if nothing had happened.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="text, a pattern, or - for stdin")
    add("output", metavar="OUTPUT", help="file, folder or address to write")
    add("--weights", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    add("--layers", choices=LAYERS, default="all", help="what to store of a sentence")
    add("--format", choices=FORMATS, help="(default: by the name of OUTPUT)")
    dtype = "of the vectors; int16, integers with a scale each, is for npy"
    add("--dtype", choices=STORED_DTYPES, default="float32", help=dtype)
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
    add("--engine", choices=ENGINES, default="local", help="what computes the shards")
    add(
        "--workers",
        type=workers,
        metavar="N[:M]",
        help="of the engine ray: N, or from N to M as there is work (default: 1)",
    )
    add(
        "--cpus-per-worker",
        type=int,
        metavar="N",
        help="cores, and threads, of each (default: 1)",
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


def workers(text: str) -> tuple[int, int]:
    """The fewest and the most workers, of `"N"` or `"N:M"`.

    Example:

    >>> workers("4"), workers("4:64")
    ((4, 4), (4, 64))
    """
    fewest, _, most = text.partition(":")
    return int(fewest), int(most or fewest)
