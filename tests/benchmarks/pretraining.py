"""Pre-training beside bilm-tf: tokens a second, and perplexity.

    sort --random-sort corpus/*.txt | split --number r/20 - shards/
    python pretraining.py --text 'shards/*' --vocabulary words.txt \\
        --tokens 200000 --rounds 3 --peer python3.7

trains both in turn, in processes of their own, and prints the median of their ratio.
`python3.7` should have bilm-tf and TensorFlow 1.15. (bilm-tf reads one file after the
other: shards, so that each holds a bit of everything.) Without `--peer`, this package
alone is trained. With `--test held_out.txt` the perplexity on it follows.

Both get the same sizes (those of `tiny_en`), batches and negative samples. Times are
those of training alone, with the graph's making; loading TensorFlow and evaluating are
left out.
"""

import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BATCH_SIZE, UNROLL_STEPS, SAMPLES, SEED = 64, 20, 2048, 1
FILTERS = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 128], [6, 128]]
UNITS, PROJECTION_DIM, LAYERS = 512, 128, 2


def keras_elmo(args, folder):
    """Tokens a second of training, and the perplexity."""
    from keras_elmo import BiLM
    from keras_elmo.pretraining import (
        LanguageModel,
        TextCorpus,
        TrainingOptions,
        Vocabulary,
        evaluate,
        train,
    )

    vocabulary = Vocabulary.from_file(args.vocabulary)
    bilm = BiLM(FILTERS, UNITS, PROJECTION_DIM, LAYERS, num_highway_layers=1)
    model = LanguageModel(bilm, vocabulary, BATCH_SIZE, SAMPLES, dropout=0.1, seed=SEED)
    steps = args.tokens // (BATCH_SIZE * UNROLL_STEPS)
    options = TrainingOptions(steps, UNROLL_STEPS, seed=SEED)
    corpus = TextCorpus(args.text)
    # What it will read: some places of a batch are empty, which bilm-tf's never are.
    batches = corpus.shuffled(vocabulary, BATCH_SIZE, UNROLL_STEPS, SEED).take(steps)
    targets = (batch["forward_targets"] for batch in batches.as_numpy_iterator())
    tokens = sum((of_batch >= 0).sum() for of_batch in targets)
    start = time.monotonic()
    train(model, corpus, options, folder)
    rate = tokens / (time.monotonic() - start)
    if not args.test:
        return rate, None
    return rate, evaluate(model, TextCorpus(args.test))["perplexity"]


def bilm_tf(args, folder):
    """The same by the authors' code, in Python 3.7."""
    from bilm.data import BidirectionalLMDataset
    from bilm.training import load_options_latest_checkpoint, load_vocab, test, train

    class TestData(BidirectionalLMDataset):
        """Ends with a StopIteration in a generator: from Python 3.7 on, an error."""

        def iter_batches(self, *arguments):
            try:
                yield from super().iter_batches(*arguments)
            except RuntimeError:
                return

    vocabulary = load_vocab(args.vocabulary, 50)
    options = {
        "bidirectional": True,
        "dropout": 0.1,
        "all_clip_norm_val": 10.0,
        "n_epochs": 1,
        "n_train_tokens": args.tokens,
        "batch_size": BATCH_SIZE,
        "n_tokens_vocab": vocabulary.size,
        "unroll_steps": UNROLL_STEPS,
        "n_negative_samples_batch": SAMPLES,
        "char_cnn": {
            "activation": "relu",
            "embedding": {"dim": 16},
            "filters": FILTERS,
            "max_characters_per_token": 50,
            "n_characters": 261,
            "n_highway": 1,
        },
        "lstm": {
            "cell_clip": 3,
            "dim": UNITS,
            "n_layers": LAYERS,
            "proj_clip": 3,
            "projection_dim": PROJECTION_DIM,
            "use_skip_connections": True,
        },
    }
    data = BidirectionalLMDataset(args.text, vocabulary, shuffle_on_load=True)
    start = time.monotonic()
    train(options, data, 1, folder, folder)
    rate = args.tokens / (time.monotonic() - start)
    if not args.test:
        return rate, None
    import tensorflow as tf

    tf.reset_default_graph()
    options, checkpoint = load_options_latest_checkpoint(folder)
    data = TestData(args.test, vocabulary, test=True, shuffle_on_load=False)
    return rate, float(test(options, checkpoint, data, batch_size=16))


IMPLEMENTATIONS = {"keras_elmo": keras_elmo, "bilm_tf": bilm_tf}


def run_one(args):
    """In this process; prints the results as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        rate, perplexity = IMPLEMENTATIONS[args.only](args, folder)
    results = {"tokens_per_second": rate, "perplexity": perplexity}
    print("\n" + json.dumps(results))


def run_all(args):
    """Each in turn, in processes of their own."""
    pythons = {"keras_elmo": sys.executable, "bilm_tf": args.peer}
    rates = {name: [] for name, python in pythons.items() if python}
    for _ in range(args.rounds):
        for name in rates:
            arguments = [pythons[name], __file__, *sys.argv[1:], "--only", name]
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
            printed = subprocess.run(
                arguments, check=True, stdout=subprocess.PIPE, env=environment
            ).stdout.decode()
            results = json.loads(printed.strip().split("\n")[-1])
            rates[name].append(results["tokens_per_second"])
            line = f"{name}: {rates[name][-1]:.0f} tokens/s"
            if results["perplexity"] is not None:
                line += f", perplexity {results['perplexity']:.1f}"
            print(line, flush=True)
    if len(rates) == 2:
        ratios = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
        print(f"ratio: median {statistics.median(ratios):.2f} of {len(ratios)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", required=True, help="glob pattern of the files")
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--test", help="held-out text")
    parser.add_argument("--tokens", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="Python that has bilm-tf")
    parser.add_argument("--only", choices=list(IMPLEMENTATIONS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    for name in ("text", "vocabulary", "test"):
        pattern = getattr(args, name)
        if pattern and not glob.glob(pattern):
            parser.error(f"--{name} matches no file: {pattern}")
    run_one(args) if args.only else run_all(args)


if __name__ == "__main__":
    main()
