"""How many tokens lines of text have."""

from collections.abc import Iterator, Sequence

import tensorflow as tf

from keras_elmo.text.tokenizers import TOKENIZERS

# A call of TensorFlow's takes as long as splitting hundreds of sentences.
_LINES_PER_BLOCK = 4096
_BYTES_PER_BLOCK = 2**20


def count_tokens(lines: Sequence[bytes], tokenizer: str) -> int:
    """How many tokens there are in all lines."""
    return sum(int(ragged.row_splits[-1]) for ragged in _ragged(lines, tokenizer))


def _ragged(lines: Sequence[bytes], tokenizer: str) -> Iterator[tf.RaggedTensor]:
    for block in _blocks(lines):
        yield TOKENIZERS[tokenizer](tf.constant(block, tf.string))


def _blocks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if len(block) == _LINES_PER_BLOCK or size >= _BYTES_PER_BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
