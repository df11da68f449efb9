"""How good is a biLM? Its perplexity on text, and what its layers know.

With --text, the perplexity of both directions, over all words of the vocabulary.
With --probe, the accuracy of small classifiers on every layer, on what the folder
holds of Senseval's lexical samples (*.pos), Universal Dependencies (*train*.conllu
with *dev*.conllu or *test*.conllu) and WiC (folders train and dev).
"""

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.text_corpus import TextCorpus
from keras_elmo.pretraining.training import evaluate
from keras_elmo.probing.parts_of_speech import probe_parts_of_speech
from keras_elmo.probing.senses import probe_senses
from keras_elmo.probing.words_in_context import probe_words_in_context
from keras_elmo.text.tokenizers import TOKENIZERS
from keras_elmo.weights.open_weights import HELP, open_weights

Scores = dict[str, dict[str, float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="+", help=HELP)
    add("--text", nargs="+", metavar="GLOB", help="one sentence a line")
    add("--tokenizer", choices=list(TOKENIZERS), help="(default: the preset's)")
    add("--batch-size", type=int, default=16, help="rows to cut the text into")
    add("--unroll-steps", type=int, default=20, help="tokens to read at once")
    add("--probe", type=Path, metavar="FOLDER", help="tagged text")


def run(args: argparse.Namespace) -> None:
    if not args.text and not args.probe:
        raise ValueError("Nothing to evaluate on: give --text or --probe")
    stored = open_weights(args.source)
    if args.text:
        _print_perplexity(args, stored)
    if args.probe:
        if not importlib.util.find_spec("sklearn"):
            raise ValueError("`--probe` needs scikit-learn: pip install scikit-learn")
        elmo = ElmoEmbedding.from_stored_model(stored)
        for title, scores in _probe(elmo, args.probe):
            _print_scores(title, scores)


def _print_perplexity(args, stored):
    model = LanguageModel.from_stored_model(stored, args.batch_size)
    tokenizer = args.tokenizer or stored.embedding.get("tokenizer", "space")
    corpus = TextCorpus(args.text, tokenizer, model.bilm.max_characters)
    size = corpus.measure()
    results = evaluate(model, corpus, args.unroll_steps)
    print(f"{size.sentences:,} sentences, {size.tokens:,} tokens with </S>")
    for name in ("forward_perplexity", "backward_perplexity", "perplexity"):
        print(f"{name.replace('_', ' '):20} {results[name]:8.2f}")


def _probe(elmo: ElmoEmbedding, folder: Path) -> Iterator[tuple[str, Scores]]:
    found = False
    for path in sorted(folder.rglob("*.pos")):
        found = True
        yield f"senses of {path.stem}", probe_senses(elmo, path)
    for train in sorted(folder.rglob("*train*.conllu")):
        for kind in ("dev", "test"):
            for test in sorted(train.parent.glob(f"*{kind}*.conllu")):
                found = True
                title = f"parts of speech of {test.stem}"
                yield title, probe_parts_of_speech(elmo, train, test)
    for data in sorted(folder.rglob("train.data.txt")):
        test = data.parent.parent / "dev"
        if test.is_dir():
            found = True
            yield "words in context", probe_words_in_context(elmo, data.parent, test)
    if not found:
        raise ValueError(
            "`--probe` should be a folder with *.pos of Senseval, *train*.conllu and "
            "*dev*.conllu, or train/train.data.txt and dev/dev.data.txt of WiC. "
            f"Received: {folder}, which has none"
        )


def _print_scores(title: str, scores: Scores) -> None:
    names = list(next(iter(scores.values())))
    print(f"\n{title:32}" + "".join(f"{name:>12}" for name in names))
    for layer, by_name in scores.items():
        print(f"  {layer:30}" + "".join(f"{by_name[name]:12.1%}" for name in names))
