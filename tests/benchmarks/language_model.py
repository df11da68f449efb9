"""Does a language model prefer sentences to shuffled words, and find a hidden word?

    python tests/benchmarks/language_model.py TEXT [--weights SOURCE] [--sentences N]

TEXT has one sentence a line. Prints how often a sentence scores higher than its own
words in random order; and of every word that is hidden in turn, how often it is the
first, or among the first ten, that one direction alone finds, or both together: by the
product of their probabilities, and divided by the word's frequency, as `substitutes`
does. The perplexity is that of the hidden word.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_elmo.pretraining import LanguageModel

# The vocabulary begins with so many words that can't be an answer.
SPECIAL = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--weights", default="tiny_en")
    parser.add_argument("--sentences", type=int, default=1000)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    lines = [line.split() for line in args.text.read_text("utf-8").splitlines()]
    lines = [line for line in lines if 5 <= len(line) <= 40]
    lines = [lines[i] for i in rng.permutation(len(lines))[: args.sentences]]
    model = LanguageModel.from_preset(args.weights)
    compare_orders(model, lines, [rng.permutation(line).tolist() for line in lines])
    hide_words(model, lines[: args.sentences // 5])


def compare_orders(model, lines, shuffled):
    scores = model.score(lines), model.score(shuffled)
    sentence, other = (np.array([score.mean for score in part]) for part in scores)
    preferred = (sentence > other).mean()
    means = np.exp(-sentence.mean()), np.exp(-other.mean())
    print(f"{len(lines)} sentences, {preferred:.1%} preferred to their shuffled words")
    print(f"geometric mean of perplexities: {means[0]:.1f}, shuffled {means[1]:.1f}")


def hide_words(model, lines):
    frequencies = np.log(model.softmax.frequencies())
    ways = {
        "forward": lambda forward, backward: forward,
        "backward": lambda forward, backward: backward,
        "product": lambda forward, backward: forward + backward,
        "product / frequency": lambda forward, backward: (
            forward + backward - frequencies
        ),
    }
    ranks, losses = {name: [] for name in ways}, {name: [] for name in ways}
    for line in lines:
        ids = model.vocabulary.to_ids(tf.constant(line)).numpy()
        forward, backward = log_probabilities(model, line)
        for name, combine in ways.items():
            scores = combine(forward, backward)[:, SPECIAL:]
            scores = tf.nn.log_softmax(scores).numpy()[ids >= SPECIAL]
            own = np.take_along_axis(scores, ids[ids >= SPECIAL, None] - SPECIAL, 1)
            ranks[name] += (scores > own).sum(axis=1).tolist()
            losses[name] += (-own[:, 0]).tolist()
    print(f"\n{len(ranks['forward'])} hidden words, by")
    print(f"{'':20}{'first':>8}{'in ten':>8}{'perplexity':>12}")
    for name, rank in ranks.items():
        first, in_ten = (np.mean(np.array(rank) < n) for n in (1, 10))
        perplexity = np.exp(np.mean(losses[name]))
        print(f"{name:20}{first:8.1%}{in_ten:8.1%}{perplexity:12.1f}")


def log_probabilities(model, line):
    """Of all words at each place of a sentence, from each direction."""
    row = [token.encode() for token in ["<S>", *line, "</S>"]]
    for direction in ("forward", "backward"):
        (context,) = model.contexts.read([row], direction, len(row))
        scores = tf.nn.log_softmax(model.softmax.logits(context.outputs)).numpy()
        # A direction also predicts the boundary that it ends with.
        yield scores[:-1] if direction == "forward" else scores[1:]


if __name__ == "__main__":
    main()
