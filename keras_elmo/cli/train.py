"""Trains a biLM on text."""

import argparse
import hashlib
import importlib.util
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer, check_positive_number
from keras_elmo.bilm import BiLM
from keras_elmo.files.find_files import find_files
from keras_elmo.files.locks import lock_beside, only_writer
from keras_elmo.files.run_record import RunRecord
from keras_elmo.files.strict_json import read_object
from keras_elmo.pretraining.forecast import TrainingForecast
from keras_elmo.pretraining.language_model import LanguageModel, vocabulary_of
from keras_elmo.pretraining.progress import TrainingProgress
from keras_elmo.pretraining.text_corpus import CorpusSize, TextCorpus
from keras_elmo.pretraining.training import TrainingOptions, evaluate, train
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.weights.formats import options as options_json
from keras_elmo.weights.formats.preset_folder import VOCABULARY
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel

_STRATEGIES = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi-worker": tf.distribute.MultiWorkerMirroredStrategy,
}
# A new model has the sizes of `tiny_en`, which two cores train in hours.
_SIZES = {
    "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 128], [6, 128]],
    "units": 512,
    "projection_dim": 128,
    "num_highway_layers": 1,
}
_RECORD = "training.json"
# A resumed training may have other values of such options, which do not change it. Of
# the text, a hash is recorded, because its content counts, wherever it lies.
_NOT_RECORDED = {"output", "metadata", "dtype", "tensorboard", "text"}


def run(args: argparse.Namespace) -> None:
    _check(args)
    strategy = _STRATEGIES[args.distribute]()
    resolver = strategy.cluster_resolver
    # All workers write to one folder at once, but each of them only once.
    own = f"{args.output}.worker-{resolver.task_id if resolver else 0}"
    with only_writer(lock_beside(own), args.output, "--output"):
        _run(args, strategy)


def _run(args: argparse.Namespace, strategy: tf.distribute.Strategy) -> None:
    metadata = read_object(args.metadata) if args.metadata else {}
    is_chief = strategy.extended.should_save_summary
    keras.utils.set_random_seed(args.seed)
    stored = open_weights(args.source) if args.source else None
    with strategy.scope():
        bilm = _make_bilm(args, stored)
    corpus = TextCorpus(args.text, args.tokenizer, bilm.max_characters)
    validation = None
    if args.validation:
        validation = TextCorpus(args.validation, args.tokenizer, bilm.max_characters)
        validation.measure()  # an error now rather than after an hour
    size = corpus.measure()
    record = _make_record(args, corpus.files, size)
    is_resumed = record.is_resumed()
    vocabulary, is_new = _find_vocabulary(args, stored, size.word_counts, is_resumed)
    _print_size(size, corpus.max_sentence_length, vocabulary)
    with strategy.scope():
        model = _make_model(args, bilm, vocabulary)
        if not is_new:
            model.load_softmax(stored)
    if is_chief and not is_resumed:
        vocabulary.save(args.output / VOCABULARY)
        record.write()

    if args.source and is_new:
        _fit(model, corpus, None, args, args.softmax_tokens, "softmax", is_chief)
    tokens = args.tokens or round(args.epochs * size.tokens)
    _fit(model, corpus, validation, args, tokens, "bilm", is_chief)
    metadata |= _facts_of_run(args, stored, size, model)
    if validation is not None:
        metadata["perplexity"] = _perplexity(args, model, validation)
        print(f"validation perplexity {metadata['perplexity']['both']:.2f}")
    if is_chief:
        folder = args.output / "preset"
        model.save_to_preset(
            folder, metadata, args.dtype, overwrite=True, tokenizer=args.tokenizer
        )
        print(f"wrote {folder}")


def _check(args: argparse.Namespace) -> None:
    find_files(args.text, "--text")
    find_files(args.validation or [], "--validation")
    if args.tensorboard and not importlib.util.find_spec("tensorboard"):
        raise ValueError("`--tensorboard` needs it installed: pip install tensorboard")
    if args.source and args.options:
        raise ValueError(
            "`--options` is for a new biLM: not together with `--from`. Received: "
            f"--options {args.options}. Leave one of them out"
        )
    if args.tokens is not None:
        check_positive_integer("tokens", args.tokens)
    check_positive_integer("softmax_tokens", args.softmax_tokens)
    check_positive_number("epochs", args.epochs)
    _options(args, tokens=1, replicas=1)


def _print_size(
    size: CorpusSize, max_sentence_length: int, vocabulary: Vocabulary
) -> None:
    if size.split_sentences:
        print(
            f"Lines of more than {max_sentence_length} tokens: {size.split_sentences}, "
            f"the longest of {size.longest_sentence:,}. They are split; is the text "
            "one sentence a line?"
        )
    print(
        f"{size.sentences:,} sentences, {size.tokens:,} tokens with </S>, "
        f"vocabulary of {len(vocabulary):,}"
    )


def _make_bilm(args: argparse.Namespace, stored: StoredModel | None) -> BiLM:
    if stored is None:
        sizes: dict[str, Any] = _SIZES
        if args.options:
            sizes = options_json.to_arguments(options_json.read_options(args.options))
        return BiLM(**sizes, sentence_boundaries=True)
    bilm = BiLM.from_stored_model(stored, sentence_boundaries=True)
    bilm.require_bytes("--from")
    return bilm


def _find_vocabulary(
    args: argparse.Namespace,
    stored: StoredModel | None,
    word_counts: Counter[str],
    is_resumed: bool,
) -> tuple[Vocabulary, bool]:
    """The vocabulary, and whether it needs a new softmax."""
    if stored and "softmax" in stored.extra_weights:
        if args.vocabulary is None and stored.vocabulary:
            return vocabulary_of(stored), False
        if args.vocabulary is not None and stored.vocabulary is None:
            return Vocabulary.from_file(args.vocabulary), False
    if is_resumed:
        return Vocabulary.from_file(args.output / VOCABULARY), True
    if args.vocabulary is not None:
        return Vocabulary.from_file(args.vocabulary), True
    return Vocabulary.from_counts(word_counts, args.min_count, args.max_words), True


def _make_model(
    args: argparse.Namespace, bilm: BiLM, vocabulary: Vocabulary
) -> LanguageModel:
    return LanguageModel(
        bilm,
        vocabulary,
        args.batch_size,
        num_samples=args.num_samples,
        dropout=args.dropout,
        seed=args.seed,
    )


def _fit(
    model: LanguageModel,
    corpus: TextCorpus,
    validation: TextCorpus | None,
    args: argparse.Namespace,
    tokens: int,
    stage: str,
    is_chief: bool,
) -> None:
    """Trains the softmax alone, or all of the biLM."""
    model.bilm.trainable = stage == "bilm"
    replicas = model.distribute_strategy.num_replicas_in_sync
    options = _options(args, tokens, replicas)
    tokens_per_step = replicas * args.batch_size * args.unroll_steps
    callbacks: list[keras.callbacks.Callback] = []
    progress = TrainingProgress(options.total_steps, tokens_per_step, stage)
    if is_chief:
        callbacks += [TrainingForecast(options.total_steps, tokens_per_step), progress]
    if is_chief and args.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(args.output / "logs" / stage))
    folder = args.output / "checkpoints" / stage
    with progress:
        train(model, corpus, options, folder, validation, callbacks)


def _options(args: argparse.Namespace, tokens: int, replicas: int) -> TrainingOptions:
    tokens_per_step = replicas * args.batch_size * args.unroll_steps
    return TrainingOptions(
        steps=max(round(tokens / max(tokens_per_step, 1)), 1),
        unroll_steps=args.unroll_steps,
        learning_rate=args.learning_rate,
        clip_norm=args.clip_norm,
        averaging=args.averaging,
        seed=args.seed,
        interval=args.interval,
    )


def _facts_of_run(
    args: argparse.Namespace,
    stored: StoredModel | None,
    size: CorpusSize,
    model: LanguageModel,
) -> dict[str, Any]:
    """What the run knows of the weights, for their metadata."""
    facts = {
        "command": shlex.join(["keras-elmo", *sys.argv[1:]]),
        "seed": args.seed,
        "steps": int(model.optimizer.iterations.numpy()),
        "sentences": size.sentences,
        "tokens": size.tokens,
    }
    if stored is not None:
        facts["trained_from"] = {"source": args.source, **stored.metadata}
    return facts


def _perplexity(
    args: argparse.Namespace, model: LanguageModel, validation: TextCorpus
) -> dict[str, Any]:
    results = evaluate(model, validation)
    return {
        "text": args.validation,
        "forward": round(results["forward_perplexity"], 2),
        "backward": round(results["backward_perplexity"], 2),
        "both": round(results["perplexity"], 2),
    }


def _make_record(
    args: argparse.Namespace, files: Sequence[str], size: CorpusSize
) -> RunRecord:
    """What should be the same when the run is resumed."""
    options = {k: value for k, value in vars(args).items() if k not in _NOT_RECORDED}
    digest = hashlib.sha256()
    for name in files:
        with open(name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    values = {
        **options,
        "tokens of the text": size.tokens,
        "hash of the text": digest.hexdigest(),
    }
    return RunRecord(args.output / _RECORD, values)
