"""Ways of embedding sentences, ours and the peers', measured in turn."""

import time
from dataclasses import dataclass

from machine import Machine


def as_strings(sentences):
    return [" ".join(tokens) for tokens in sentences]


class Contestant:
    """A way of embedding some sentences.

    Args:
        sentences: Lists of tokens.
        warm_up: Numbers of sentences to try it on beforehand. By default two, so that
            TensorFlow has seen that sizes differ.
    """

    def __init__(self, sentences, warm_up=(2, 3)):
        self.sentences = sentences
        self.warm_up = warm_up

    @property
    def tokens(self):
        return sum(map(len, self.sentences))

    def seconds(self, sentences):
        """The time it takes to embed sentences."""
        raise NotImplementedError


class Ours(Contestant):
    """A function of this package.

    Args:
        function: Takes what `prepare` makes of sentences, outside of the time measured.
            What it returned last is kept as `outputs`.
        prepare: Defaults to making each sentence a string.
    """

    def __init__(self, function, sentences, prepare=as_strings, **kwargs):
        super().__init__(sentences, **kwargs)
        self.function = function
        self.prepare = prepare
        self.outputs = None

    def seconds(self, sentences):
        inputs = self.prepare(sentences)
        self.outputs = None  # which is not to count as memory in use
        start = time.perf_counter()
        self.outputs = self.function(inputs)
        return time.perf_counter() - start


class Theirs(Contestant):
    """A `Peer`, in batches of a size."""

    def __init__(self, peer, sentences, batch):
        super().__init__(sentences)
        self.peer = peer
        self.batch = batch

    def seconds(self, sentences):
        return self.peer.seconds(sentences, self.batch)


@dataclass
class Measured:
    """By the name of each contestant, a value a round; and the machine meanwhile."""

    seconds: dict
    tokens_per_second: dict
    machine: Machine


def alternate(contestants, rounds, at_most):
    """Measures each in turn, so that a slow spell of the machine hits all alike.

    What the machine can do is measured in every round too.

    Args:
        contestants: Dictionary of `Contestant`.
        rounds: Number of rounds.
        at_most: Seconds after which no other round is begun.
    """
    for contestant in contestants.values():
        for number in contestant.warm_up:
            contestant.seconds(contestant.sentences[:number])
    machine = Machine()
    seconds = {name: [] for name in contestants}
    start = time.perf_counter()
    for number in range(rounds):
        if number and time.perf_counter() - start > at_most:
            break
        machine.measure()
        for name, contestant in contestants.items():
            seconds[name].append(contestant.seconds(contestant.sentences))
    rates = {
        name: [contestants[name].tokens / value for value in values]
        for name, values in seconds.items()
    }
    return Measured(seconds, rates, machine)
