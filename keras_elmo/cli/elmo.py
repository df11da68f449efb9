"""Embeds a file of sentences with the arguments of `allennlp elmo`."""

import argparse
import sys
from typing import IO

from keras_elmo.compat.allennlp.elmo_embedder import ElmoEmbedder
from keras_elmo.compat.allennlp.files import DEFAULT

_STDIN = "-"
_WITHOUT_EFFECT = ("vocab_path", "include_package")


def run(args: argparse.Namespace) -> None:
    for name in _WITHOUT_EFFECT:
        if getattr(args, name) is not None:
            _note(f"--{name.replace('_', '-')} has no effect")
    options_file = args.options_file
    if options_file is None and args.weight_file is None:
        _note(
            f"without --options-file and --weight-file, {DEFAULT!r} embeds, a small "
            'English model. The default of AllenNLP is "--options-file '
            'allennlp/original"'
        )
        options_file = DEFAULT
    with _open(args.input_file) as input_file:
        embedder = ElmoEmbedder(
            options_file, args.weight_file, args.cuda_device, args.stateful
        )
        embedder.embed_file(
            input_file,
            args.output_file,
            args.layers,
            args.batch_size,
            args.forget_sentences,
            args.use_sentence_keys,
        )
    print(f"wrote {args.output_file}")


def _open(input_file: str) -> IO[str]:
    # A byte order mark would become a part of the first token.
    source = sys.stdin.fileno() if input_file == _STDIN else input_file
    return open(source, encoding="utf-8-sig")


def _note(text: str) -> None:
    sys.stderr.write(f"keras-elmo elmo: {text}\n")
