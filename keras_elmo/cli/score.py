"""Prints how probable a language model finds sentences."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator

from keras_elmo.bulk.text_source import TextSource
from keras_elmo.files.progress import progress_bar
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.sentence_score import SentenceScore
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD
from keras_elmo.weights.open_weights import open_weights

_SENTENCE_COLUMNS = (
    "line",
    "tokens",
    "unknown",
    "forward",
    "backward",
    "mean",
    "perplexity",
)
_TOKEN_COLUMNS = ("line", "token", "unknown", "forward", "backward")

Writer = Callable[[int, SentenceScore], Iterator[str]]


def run(args: argparse.Namespace) -> None:
    with TextSource(args.inputs) as source:
        kwargs = {} if args.tokenizer is None else {"tokenizer": args.tokenizer}
        model = LanguageModel.from_stored_model(open_weights(args.weights), **kwargs)
        lines = (line for part in source.parts() for line in part.lines)
        scores = model.score_stream(lines, args.max_tokens)
        # In one terminal, a bar would be torn by what is printed.
        with progress_bar("sentences", not sys.stdout.isatty()) as bar:
            for row in _rows(args, enumerate(bar.track(scores), start=1)):
                print(row)


def _rows(
    args: argparse.Namespace, scores: Iterator[tuple[int, SentenceScore]]
) -> Iterator[str]:
    write: Writer
    if args.json:
        write = _as_json
    elif args.per_token:
        yield "\t".join(_TOKEN_COLUMNS)
        write = _tokens
    else:
        yield "\t".join(_SENTENCE_COLUMNS)
        write = _sentence
    for line, score in scores:
        yield from write(line, score)


def _sentence(line: int, score: SentenceScore) -> Iterator[str]:
    yield "\t".join(
        [
            str(line),
            str(len(score.tokens)),
            str(score.is_unknown.sum()),
            f"{score.forward_total:.4f}",
            f"{score.backward_total:.4f}",
            f"{score.mean:.4f}",
            f"{score.perplexity:.2f}",
        ]
    )


def _tokens(line: int, score: SentenceScore) -> Iterator[str]:
    """A row a token; each boundary is predicted by one direction alone."""
    yield f"{line}\t{BEGIN_WORD}\t0\t\t{score.backward_end:.4f}"
    columns = score.tokens, score.is_unknown, score.forward, score.backward
    for token, is_unknown, forward, backward in zip(*columns, strict=True):
        # The tokenizer "space" leaves in tokens what would end a cell or a row here.
        token = token.replace("\t", "\\t").replace("\r", "\\r")
        yield f"{line}\t{token}\t{is_unknown:d}\t{forward:.4f}\t{backward:.4f}"
    yield f"{line}\t{END_WORD}\t0\t{score.forward_end:.4f}\t"


def _as_json(line: int, score: SentenceScore) -> Iterator[str]:
    perplexity = score.perplexity
    yield json.dumps(
        {
            "line": line,
            "tokens": score.tokens,
            "is_unknown": score.is_unknown.tolist(),
            "forward": score.forward.tolist(),
            "backward": score.backward.tolist(),
            "forward_end": score.forward_end,
            "backward_end": score.backward_end,
            "mean": score.mean,
            # JSON has no infinity.
            "perplexity": perplexity if math.isfinite(perplexity) else None,
        },
        ensure_ascii=False,
        allow_nan=False,
    )
