"""What this machine can do at best, and what a model asks of it."""

import functools
import time
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

ROWS = (1, 32, 128, 512)
REPEATS = 5


@dataclass
class Machine:
    """The fastest of all measurements by TensorFlow and NumPy.

    `sgemm` has FLOP/s of `[rows, 512] x [512, 16384]` by the number of rows,
    `bandwidth` bytes/s of reading memory by the way of reading.
    """

    sgemm: dict = field(default_factory=dict)
    bandwidth: dict = field(default_factory=dict)

    def measure(self):
        kernel, large, products = operands()
        array = large.numpy()
        seconds = {n: fastest(tf.matmul, x, kernel) for n, x in products.items()}
        size = 4 * tf.size(kernel).numpy()
        other = Machine(
            {n: 2 * n * 512 * 16384 / spent for n, spent in seconds.items()},
            {
                "tf.reduce_max": array.nbytes / fastest(tf.reduce_max, large),
                "np.sum": array.nbytes / fastest(np.sum, array),
                "product with one row": size / seconds[1],
            },
        )
        self.include(other)

    def include(self, other):
        """Takes over what is faster in another one."""
        for mine, theirs in (
            (self.sgemm, other.sgemm),
            (self.bandwidth, other.bandwidth),
        ):
            for name, value in theirs.items():
                mine[name] = max(value, mine.get(name, 0.0))

    def __str__(self):
        products = [f"{n} rows {v / 1e9:.1f}" for n, v in self.sgemm.items()]
        reading = [f"{way} {v / 1e9:.1f}" for way, v in self.bandwidth.items()]
        return (
            f"Matrix products, GFLOP/s: {', '.join(products)}\n"
            f"Reading memory, GB/s: {', '.join(reading)}"
        )

    def seconds(self, flops):
        """Of so much arithmetic, at the fastest rate measured."""
        return flops / max(self.sgemm.values())

    def reading_seconds(self, size):
        return size / max(self.bandwidth.values())


@functools.cache
def operands():
    kernel = tf.random.normal([512, 16384])
    large = tf.ones([32 * 2**20])  # 128 MiB, beyond every cache
    return kernel, large, {rows: tf.random.normal([rows, 512]) for rows in ROWS}


def fastest(function, *arguments):
    """Seconds of the fastest of some calls: what the machine can do."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


class Arithmetic:
    """The FLOPs and bytes that a `BiLM` can't do without.

    Padding counts nothing; every distinct token is encoded once, by the windows that
    begin within it. `<S>` and `</S>` are read like tokens, and every position has input
    products of its own.
    """

    def __init__(self, bilm):
        self._bilm = bilm
        units, dim = bilm.units, bilm.projection_dim
        self._recurrent = 4 * units * dim + (units * dim if units > dim else 0)
        # A position needs both products, the input's and the state's, in every layer.
        self.lstm = 2 * 2 * bilm.num_layers * (4 * units * dim + self._recurrent)

    def encoder(self, token):
        """FLOPs of the token encoder, for one distinct token."""
        bilm = self._bilm
        ids = min(len(token.encode()) + 2, bilm.max_characters)
        convolutions = sum(
            min(ids, bilm.max_characters - width + 1)
            * width
            * bilm.embedding_dim
            * count
            for width, count in bilm.filters
        )
        filters = sum(count for _, count in bilm.filters)
        highways = 2 * filters**2 * bilm.num_highway_layers
        projection = filters * bilm.projection_dim
        return 2 * (convolutions + highways + projection)

    def flops(self, sentences):
        """Of embedding lists of tokens together."""
        positions = sum(len(tokens) + 2 for tokens in sentences)
        distinct = {token for tokens in sentences for token in tokens}
        return positions * self.lstm + sum(map(self.encoder, distinct))

    def recurrent_bytes(self, tokens):
        """Of the weights that one sentence alone has to read again at every step."""
        steps = 2 * self._bilm.num_layers * (len(tokens) + 2)
        return 4 * self._recurrent * steps
