"""The arguments of `keras-elmo elmo`."""

import argparse

DESCRIPTION = """\
Embed a file of sentences, with the arguments of `allennlp elmo`.

The text is tokenized, tokens separated by white space, without empty lines; it has to
fit into memory. A dataset of float32 is written for each line, named by its number from
0 on, and `sentence_to_index`, JSON of the number of each sentence. Unlike AllenNLP's
command, it starts every sentence from zeros unless --stateful is given, and writes all
of the file or nothing. `keras-elmo embed` is for text of any size, and can resume.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
