"""Lines of text files, endlessly, in an order that a seed decides."""

from collections.abc import Sequence

import tensorflow as tf


def shuffled_lines(
    files: Sequence[str], seed: int, block_size: int, shard: tuple[int, int]
) -> tf.data.Dataset:
    """All lines that hold words, shuffled anew each time through the files.

    The order of the files is shuffled, and so are the lines within each block. No
    global seed or state takes part: the same arguments always give the same order.

    Args:
        files: Paths of text files.
        seed: Seed of the order; each time through the files has its own.
        block_size: How many lines to hold in memory and shuffle at a time.
        shard: `(index, count)`: which of so many equal parts of each block to give.
    """

    def lines_of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        return _lines_of_epoch(files, [seed, epoch], block_size, shard)

    return tf.data.Dataset.counter().flat_map(lines_of_epoch)


def lines_of(file: tf.Tensor) -> tf.data.Dataset:
    """The lines of a text file, which is decompressed if its name ends with .gz."""
    is_packed = tf.strings.regex_full_match(file, r".*\.gz")
    lines = tf.data.TextLineDataset(file, tf.where(is_packed, "GZIP", ""))
    # A byte order mark is no part of the first word.
    return lines.map(lambda line: tf.strings.regex_replace(line, "^\ufeff", ""))


def _lines_of_epoch(
    files: Sequence[str], seeds: list, block_size: int, shard: tuple[int, int]
) -> tf.data.Dataset:
    """The shuffled lines of one time through the files."""
    seed, epoch = seeds
    ordered = tf.random.experimental.stateless_shuffle(files, seeds)
    lines = tf.data.Dataset.from_tensor_slices(ordered).flat_map(lines_of)

    def shuffle(index: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        return _shuffled_block(block, [seed, epoch * 2**32 + index], shard)

    return lines.batch(block_size).enumerate().map(shuffle).unbatch()


def _shuffled_block(block: tf.Tensor, seeds: list, shard: tuple[int, int]) -> tf.Tensor:
    # Blank lines go before the split: a shard that got nothing else would wait forever.
    block = tf.boolean_mask(block, tf.strings.strip(block) != "")
    index, count = shard
    return tf.random.experimental.stateless_shuffle(block, seeds)[index::count]
