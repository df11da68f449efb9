"""Train a biLM on text, from scratch or from pretrained weights.

The same command, given again, goes on where an earlier one was interrupted.
"""

import argparse
import importlib.util
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_elmo.atomic import replacing
from keras_elmo.bilm import BiLM
from keras_elmo.presets import find_preset
from keras_elmo.pretraining.language_model import VOCABULARY, LanguageModel
from keras_elmo.pretraining.progress import TrainingProgress
from keras_elmo.pretraining.text_corpus import TextCorpus
from keras_elmo.pretraining.training import TrainingOptions, evaluate, train
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.text import TOKENIZERS
from keras_elmo.weights import options as options_json
from keras_elmo.weights.preset_folder import DTYPES

_STRATEGIES = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi-worker": tf.distribute.MultiWorkerMirroredStrategy,
}
# Sizes of `tiny_en`.
_SIZES = {
    "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 128], [6, 128]],
    "units": 512,
    "projection_dim": 128,
    "num_highway_layers": 1,
}
_RECORD = "training.json"
# What may differ when training is resumed.
_NOT_RECORDED = {"output", "metadata", "dtype", "tensorboard"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--text", nargs="+", required=True, metavar="GLOB", help="one sentence a line")
    add("--output", type=Path, required=True, help="folder of the run")
    add("--validation", nargs="+", metavar="GLOB", help="text to compute perplexity of")
    add(
        "--from",
        nargs="+",
        dest="source",
        metavar="SOURCE",
        help="weights to go on from: a preset, or options.json and weights.hdf5",
    )
    add("--options", type=Path, help="options.json with the sizes of a new biLM")
    add("--tokenizer", choices=list(TOKENIZERS), default="space")
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
    add("--distribute", choices=list(_STRATEGIES), default="none")
    add("--tensorboard", action="store_true", help="write logs for it")
    add("--metadata", type=Path, help="JSON to add to the preset's metadata.json")
    add("--dtype", choices=DTYPES, default="float32", help="of the preset's weights")


def run(args: argparse.Namespace) -> None:
    strategy = _STRATEGIES[args.distribute]()
    metadata = _read_json(args.metadata) if args.metadata else {}
    if args.tensorboard and not importlib.util.find_spec("tensorboard"):
        raise ValueError("`--tensorboard` needs it installed: pip install tensorboard")
    keras.utils.set_random_seed(args.seed)
    with strategy.scope():
        bilm = _make_bilm(args)
    corpus = TextCorpus(args.text, args.tokenizer, bilm.max_characters)
    validation = None
    if args.validation:
        validation = TextCorpus(args.validation, args.tokenizer, bilm.max_characters)
        validation.measure()  # an error now rather than after an hour
    is_chief = strategy.extended.should_save_summary
    _check_record(args, is_chief)
    size = corpus.measure()
    if size.cut_sentences:
        print(
            f"{size.cut_sentences} lines are longer than {corpus.max_sentence_length} "
            "tokens, and are cut there: is the text one sentence a line?"
        )
    vocabulary, is_new = _find_vocabulary(args, size.word_counts, is_chief)
    print(
        f"{size.sentences:,} sentences, {size.tokens:,} tokens with </S>, "
        f"vocabulary of {len(vocabulary):,}"
    )
    with strategy.scope():
        model = _make_model(args, bilm, vocabulary, is_new)
    if args.source and is_new:
        _fit(model, corpus, None, args, args.softmax_tokens, "softmax", is_chief)
    tokens = args.tokens or round(args.epochs * size.tokens)
    _fit(model, corpus, validation, args, tokens, "bilm", is_chief)
    metadata = {
        **metadata,
        "command": shlex.join(["keras-elmo", *sys.argv[1:]]),
        "seed": args.seed,
        "steps": int(model.optimizer.iterations.numpy()),
        "sentences": size.sentences,
        "tokens": size.tokens,
    }
    if validation is not None:
        results = evaluate(model, validation)
        metadata["validation"] = {
            name: round(value, 3) for name, value in results.items()
        }
        print(f"validation perplexity {results['perplexity']:.2f}")
    if is_chief:
        model.save_to_preset(args.output / "preset", metadata, args.dtype)
        print(f"wrote {args.output / 'preset'}")


def _make_bilm(args):
    if not args.source:
        sizes = _SIZES
        if args.options:
            sizes = options_json.to_arguments(options_json.read_options(args.options))
        return BiLM(**sizes, sentence_boundaries=True)
    if len(args.source) == 2:
        return BiLM.from_hdf5(*args.source)
    if len(args.source) == 1:
        return BiLM.from_preset(args.source[0])
    raise ValueError(
        "`--from` should be a preset, or options.json and weights.hdf5. "
        f"Received: {args.source}"
    )


def _find_vocabulary(args, word_counts, is_chief):
    """The vocabulary, and whether it needs a new softmax."""
    if args.vocabulary is None and args.source and len(args.source) == 1:
        path = find_preset(args.source[0]) / VOCABULARY
        if path.is_file():
            return Vocabulary.from_file(path), False
    path = args.output / VOCABULARY
    if path.is_file():
        return Vocabulary.from_file(path), True
    if args.vocabulary is not None:
        vocabulary = Vocabulary.from_file(args.vocabulary)
    else:
        vocabulary = Vocabulary.from_counts(word_counts, args.min_count, args.max_words)
    if is_chief:
        vocabulary.save(path)
    return vocabulary, True


def _make_model(args, bilm, vocabulary, is_new):
    model = LanguageModel(
        bilm,
        vocabulary,
        args.batch_size,
        num_samples=args.num_samples,
        dropout=args.dropout,
        seed=args.seed,
    )
    if not is_new:
        model.load_softmax(args.source[0])
    return model


def _fit(model, corpus, validation, args, tokens, stage, is_chief):
    """Trains the softmax alone, or all of the biLM."""
    model.bilm.trainable = stage == "bilm"
    replicas = model.distribute_strategy.num_replicas_in_sync
    tokens_per_step = replicas * args.batch_size * args.unroll_steps
    options = TrainingOptions(
        steps=max(round(tokens / tokens_per_step), 1),
        unroll_steps=args.unroll_steps,
        learning_rate=args.learning_rate,
        clip_norm=args.clip_norm,
        seed=args.seed,
        interval=args.interval,
    )
    callbacks: list[keras.callbacks.Callback] = []
    if is_chief:
        callbacks.append(TrainingProgress(options.total_steps, tokens_per_step, stage))
    if is_chief and args.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(args.output / "logs" / stage))
    folder = args.output / "checkpoints" / stage
    train(model, corpus, options, folder, validation, callbacks)


def _check_record(args: argparse.Namespace, is_chief: bool) -> None:
    """Refuses to go on with other options than the run began with."""
    path = args.output / _RECORD
    record: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(args).items()
        if name not in _NOT_RECORDED
    }
    if path.is_file():
        before = _read_json(path)
        changed = [
            f"{name} {before.get(name)!r}, now {record.get(name)!r}"
            for name in sorted(before.keys() | record.keys())
            if before.get(name) != record.get(name)
        ]
        if changed:
            raise ValueError(
                "A run should go on with the options it began with; for others, "
                f"choose a new --output. Received: {'; '.join(changed)}"
            )
    elif is_chief:
        with replacing(path) as temporary:
            Path(temporary).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} should be a JSON file. It could not be read ({error})"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} should hold a JSON object. Received: {content!r}")
    return content
