"""Prints how good a biLM is."""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.files.find_files import find_files
from keras_elmo.files.optional import import_optional
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.text_corpus import TextCorpus
from keras_elmo.pretraining.training import evaluate
from keras_elmo.probing.parts_of_speech import probe_parts_of_speech
from keras_elmo.probing.senses import probe_senses
from keras_elmo.probing.words_in_context import probe_words_in_context
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel

Scores = dict[str, dict[str, float]]
Probe = Callable[[ElmoEmbedding], Scores]


def run(args: argparse.Namespace) -> None:
    if not args.text and not args.probe:
        raise ValueError("Nothing to evaluate on: give --text or --probe")
    if args.text:
        find_files(args.text, "--text")  # an error now rather than after the weights
    probes = _find_probes(args.probe) if args.probe else []
    stored = open_weights(args.source)
    if args.text:
        _print_perplexity(args, stored)
    if probes:
        elmo = ElmoEmbedding.from_stored_model(stored)
        for title, probe in probes:
            _print_scores(title, probe(elmo))


def _print_perplexity(args: argparse.Namespace, stored: StoredModel) -> None:
    model = LanguageModel.from_stored_model(stored, args.batch_size)
    tokenizer = args.tokenizer or model.tokenizer
    corpus = TextCorpus(args.text, tokenizer, model.bilm.max_characters)
    size = corpus.measure()
    results = evaluate(model, corpus, args.unroll_steps)
    print(f"{size.sentences:,} sentences, {size.tokens:,} tokens with </S>")
    for name in ("forward_perplexity", "backward_perplexity", "perplexity"):
        print(f"{name.replace('_', ' '):20} {results[name]:8.2f}")


def _find_probes(folder: Path) -> list[tuple[str, Probe]]:
    """The title of each probe that the folder has data for, and the probe."""
    import_optional("sklearn", "probing", "Probes")
    if not folder.is_dir():
        raise NotADirectoryError(f"`--probe` should be a folder. Received: {folder}")
    probes = [*_senses(folder), *_parts_of_speech(folder), *_words_in_context(folder)]
    if not probes:
        raise ValueError(
            "`--probe` should be a folder with *.pos of Senseval, *train*.conllu and "
            "*dev*.conllu, or train/train.data.txt and dev/dev.data.txt of WiC. "
            f"Received: {folder}, which has none"
        )
    return probes


def _senses(folder: Path) -> Iterator[tuple[str, Probe]]:
    for path in sorted(folder.rglob("*.pos")):
        yield f"senses of {path.stem}", partial(probe_senses, path=path)


def _parts_of_speech(folder: Path) -> Iterator[tuple[str, Probe]]:
    for train in sorted(folder.rglob("*train*.conllu")):
        for kind in ("dev", "test"):
            for test in sorted(train.parent.glob(f"*{kind}*.conllu")):
                probe = partial(probe_parts_of_speech, train=train, test=test)
                yield f"parts of speech of {test.stem}", probe


def _words_in_context(folder: Path) -> Iterator[tuple[str, Probe]]:
    for data in sorted(folder.rglob("train.data.txt")):
        test = data.parent.parent / "dev"
        if test.is_dir():
            probe = partial(probe_words_in_context, train=data.parent, test=test)
            yield "words in context", probe


def _print_scores(title: str, scores: Scores) -> None:
    names = list(next(iter(scores.values())))
    print(f"\n{title:32}" + "".join(f"{name:>12}" for name in names))
    for layer, by_name in scores.items():
        cells = [f"{by_name[n]:12.1%}" if n in by_name else f"{'-':>12}" for n in names]
        print(f"  {layer:30}" + "".join(cells))
