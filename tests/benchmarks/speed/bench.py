import functools
import itertools

import numpy as np
from contest import Theirs, alternate
from machine import Arithmetic, Machine
from plain import PlainElmo

from keras_elmo import ElmoEmbedding


class Bench:
    """What all rows share: model, sentences, peers, the machine, and how to measure.

    Args:
        files: Paths of options and weights.
        sentences: All sentences of the file, as lists of tokens.
        peers: List of `Peer`.
        args: The command's arguments.
    """

    def __init__(self, files, sentences, peers, args):
        self.files = files
        self.sentences = sentences
        self.words = [token for tokens in sentences for token in tokens]
        # Where not all are needed, these are embedded, from all parts of the file.
        self.sample = evenly(sentences, args.limit)
        self.peers = peers
        self.args = args
        self.machine = Machine()
        self.machine.measure()
        self.elmo = ElmoEmbedding.from_hdf5(*files, output_key="elmo")
        self.plain = PlainElmo(*files)

    @functools.cached_property
    def equal(self):
        """32 sentences of 30 tokens."""
        words = itertools.cycle(self.words)
        return [list(itertools.islice(words, 30)) for _ in range(32)]

    def all_peers(self, sentences, *batches):
        """The contestants for these sizes of batches."""
        return {
            f"{peer.name}, batch of {batch}": Theirs(peer, sentences, batch)
            for peer in self.peers
            for batch in batches
        }

    def measure(self, contestants):
        measured = alternate(contestants, self.args.rounds, self.args.seconds)
        self.machine.include(measured.machine)
        return measured

    def limit(self, machine, batches, elmo=None):
        """Tokens a second that the arithmetic of such batches allows."""
        arithmetic = Arithmetic((elmo or self.elmo).bilm)
        tokens = sum(len(row) for batch in batches for row in batch)
        flops = sum(map(arithmetic.flops, batches))
        return tokens / machine.seconds(flops)

    def differences(self, ways, plain=None):
        """The largest of each way's outputs, from two others.

        That is from the plain path, over some sentences, and from the first way, over
        all of them.

        Args:
            ways: Dictionary of `Ours`, on the same sentences.
            plain: A `PlainElmo`. Defaults to that of the benchmark's files.
        """
        first = next(iter(ways.values()))
        lengths = map(len, first.sentences)
        all_first = [
            np.asarray(output)[:length]
            for output, length in zip(first.outputs, lengths, strict=True)
        ]
        chosen = evenly(range(len(first.sentences)), self.args.checked)
        expected = [(plain or self.plain)(first.sentences[row]) for row in chosen]
        return {
            name: largest_difference(
                [*way.outputs, *(way.outputs[row] for row in chosen)],
                [*all_first, *expected],
            )
            for name, way in ways.items()
        }


def evenly(items, number):
    """So many items at equal distances, or all if there are fewer."""
    items = list(items)
    number = min(number, len(items))
    return [items[index * len(items) // number] for index in range(number)]


def in_batches(sentences, size):
    return [sentences[i : i + size] for i in range(0, len(sentences), size)]


def largest_difference(outputs, expected):
    """Of two lists of `(tokens, dim)`, the first of which may be padded."""
    differences = [
        np.abs(np.asarray(output)[: len(one)] - one).max()
        for output, one in zip(outputs, expected, strict=True)
    ]
    return float(np.max(differences))  # NaN if any is
