import collections
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.files.find_files import find_files
from keras_elmo.files.paths import is_address
from keras_elmo.pretraining.packing import NO_TARGET, Batch, pack
from keras_elmo.pretraining.shuffled_lines import lines_of, shuffled_lines
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.text.encode import to_distinct_char_ids
from keras_elmo.text.tokenizers import TOKENIZERS, add_boundaries

# How many lines `measure` tokenizes at a time.
_LINES_PER_BLOCK = 512
# A row holds that many sentences, on average, before all rows begin anew.
_SENTENCES_PER_ROW = 100
_SENTENCES_PER_ROW_IN_ORDER = 1000
# `tf.data` would read the source of all that a function calls, to look for Python that
# depends on tensors. That takes a second or two, and there is none.
_not_converted = tf.autograph.experimental.do_not_convert


class CorpusSize(NamedTuple):
    """What `TextCorpus.measure` counts.

    Attributes:
        sentences: Lines that hold words; each piece of one that is split counts.
        tokens: Predictions in each direction: the words, and a `</S>` a sentence.
        longest_sentence: Words of the longest line, before it is split.
        split_sentences: How many lines have more than `max_sentence_length` words.
        word_counts: How often each word comes. Bytes that are not UTF-8 are
            surrogates.
    """

    sentences: int
    tokens: int
    longest_sentence: int
    split_sentences: int
    word_counts: collections.Counter


class TextCorpus:
    """Text files, one sentence a line, as batches for language modelling.

    Sentences between `<S>` and `</S>` follow each other in `batch_size` rows, which
    are cut every `unroll_steps` tokens: a row of one batch goes on in the next, so
    that the state of the LSTMs can be carried over. After some 100 sentences all
    rows begin anew, each with a whole sentence and a state of zeros: otherwise the
    model would never learn to predict the first words of a text.

    The backward language model reads the same sentences in the same order, each of
    them reversed. A sentence of `n` words makes `n + 1` predictions in either
    direction, of its words and of the boundary that ends it.

    Reference: bilm-tf (`bilm/data.py`, `BidirectionalLMDataset`).

    Args:
        files: Names of text files, or glob patterns. Those that end with .gz are
            decompressed.
        tokenizer: See `ElmoPreprocessor`. Defaults to `"space"`.
        max_characters: See `ElmoPreprocessor`. Defaults to 50.
        max_sentence_length: Tokens of a sentence; longer ones are split. Defaults to
            500. All rows begin anew together, so that a very long sentence would
            leave the other rows empty until it ends.

    Raises:
        FileNotFoundError: if one is not there, or matches no file.
        IsADirectoryError: if one is a folder.
        ValueError: if an argument is not as described.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "text.txt"
    >>> _ = path.write_text("the cat sat\\na cat\\n")
    >>> corpus = TextCorpus(str(path))
    >>> counts = corpus.measure().word_counts
    >>> counts.most_common(1)
    [('cat', 2)]
    >>> vocabulary = Vocabulary.from_counts(counts)
    >>> batch = next(iter(corpus.in_order(vocabulary, batch_size=1, unroll_steps=4)))
    >>> [vocabulary.words[i] for i in batch["forward_targets"][0]]
    ['the', 'cat', 'sat', '</S>']
    >>> [vocabulary.words[i] for i in batch["backward_targets"][0]]
    ['<S>', 'the', 'cat', 'sat']
    """

    def __init__(
        self,
        files: str | os.PathLike | Sequence[str | os.PathLike],
        tokenizer: str = "space",
        max_characters: int = 50,
        max_sentence_length: int = 500,
    ):
        self.files = _find(files)
        check_choice("tokenizer", tokenizer, tuple(TOKENIZERS))
        self.tokenizer = tokenizer
        self.max_characters = check_positive_integer("max_characters", max_characters)
        self.max_sentence_length = check_positive_integer(
            "max_sentence_length", max_sentence_length
        )

    def measure(self) -> CorpusSize:
        """Reads all of the text once and counts.

        Raises:
            ValueError: if there are no words.
        """
        counts: collections.Counter = collections.Counter()
        sentences = longest = split = 0
        batches = self._read().batch(_LINES_PER_BLOCK)
        batches = batches.map(lambda lines: self._split(lines), tf.data.AUTOTUNE)
        for tokens in batches:
            lengths = tokens.row_lengths().numpy()
            pieces = -(-lengths // self.max_sentence_length)
            sentences += int(pieces.sum())
            longest = max(longest, int(lengths.max()))
            split += int(np.count_nonzero(pieces > 1))
            counts.update(tokens.flat_values.numpy().tolist())
        if not counts:
            raise ValueError(
                f"The text should hold words. Received: {len(self.files)} files "
                f"without any, such as {self.files[0]!r}. Pass `files` that do."
            )
        words = {
            word.decode("utf-8", errors="surrogateescape"): count
            for word, count in counts.items()
        }
        return CorpusSize(
            sentences=sentences,
            tokens=counts.total() + sentences,
            longest_sentence=longest,
            split_sentences=split,
            word_counts=collections.Counter(words),
        )

    def shuffled(
        self,
        vocabulary: Vocabulary,
        batch_size: int,
        unroll_steps: int,
        seed: int,
        shuffle_lines: int = 1_000_000,
        num_replicas: int = 1,
        shard: tuple[int, int] = (0, 1),
        skip: int = 0,
    ) -> tf.data.Dataset:
        """Endless batches for training, in the order that `seed` decides.

        Args:
            vocabulary: The words to predict.
            batch_size: Rows of a batch.
            unroll_steps: Tokens of a row.
            seed: Seed of the order; each time through the text has its own.
            shuffle_lines: How many lines to shuffle at a time. Defaults to a million,
                which take some 200 MB. A longer text should be split into files in
                no particular order, because the order of files is shuffled as well.
            num_replicas: Number of replicas, which take batches in turn and have rows
                of their own.
            shard: `(index, count)`: which of so many equal parts of the lines to read.
            skip: Batches of each replica to leave out, to go on where training
                was interrupted.

        Returns:
            A dataset of batches as those of `in_order`. Those that are less than half
            full, just before the rows begin anew, are left out.
        """
        check_positive_integer("batch_size", batch_size)
        check_positive_integer("unroll_steps", unroll_steps)
        num_rows = num_replicas * batch_size
        lines = shuffled_lines(self.files, seed, shuffle_lines, shard)
        rows = lines.batch(num_rows * _SENTENCES_PER_ROW).map(
            lambda lines: self._to_rows(lines, vocabulary, num_rows, unroll_steps),
            tf.data.AUTOTUNE,
        )
        # Rows are split between the replicas, which then take their batches in turn.
        batches = rows.unbatch().filter(_is_full)
        batches = batches.map(lambda batch: _split_rows(batch, num_replicas)).unbatch()
        return self._encode(batches.skip(skip * num_replicas))

    def in_order(
        self, vocabulary: Vocabulary, batch_size: int, unroll_steps: int
    ) -> tf.data.Dataset:
        """Batches of the whole text once, in its own order, for evaluation.

        Returns:
            A dataset of dictionaries, which `LanguageModel` takes:

            - `"char_ids"`: int32 `(distinct, characters)`, every distinct token
              of the batch once;
            - `"forward_index"`, `"backward_index"`: int32 `(batch_size,
              unroll_steps)`, the tokens read, as rows of `char_ids`;
            - `"forward_targets"`, `"backward_targets"`: int32, of the same
              shape, the ids of the words to predict, or -1 for none;
            - `"continues"`: float32 `(batch_size, 1)`, 0 where a row begins, and 1
              where it goes on from the batch before.

            Backward rows are in reading order from right to left, so that a
            layer that goes backwards reads them.
        """
        check_positive_integer("batch_size", batch_size)
        check_positive_integer("unroll_steps", unroll_steps)
        rows = self._read().batch(batch_size * _SENTENCES_PER_ROW_IN_ORDER)
        rows = rows.map(
            lambda lines: self._to_rows(lines, vocabulary, batch_size, unroll_steps)
        )
        rows = rows.unbatch()
        # Keras warns when it does not know the number of batches: count them first.
        count = rows.reduce(np.int64(0), lambda count, _: count + 1)
        counted = tf.data.experimental.assert_cardinality(count)
        return self._encode(rows).apply(counted)

    def _read(self) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(self.files).flat_map(lines_of)

    @_not_converted
    def _split(self, lines: tf.Tensor) -> tf.RaggedTensor:
        return TOKENIZERS[self.tokenizer](lines)

    def _tokenize(self, lines: tf.Tensor) -> tf.RaggedTensor:
        """`(sentences, None)` tokens, without empty lines, long ones split."""
        tokens = self._split(lines)
        limits, limit = tokens.row_limits(), self.max_sentence_length
        starts = tf.ragged.range(tokens.row_starts(), limits, limit)
        return tf.RaggedTensor.from_row_starts(
            tokens.flat_values, starts.flat_values, validate=False
        )

    @_not_converted
    def _to_rows(
        self, lines: tf.Tensor, vocabulary: Vocabulary, num_rows: int, unroll_steps: int
    ) -> Batch:
        sentences = add_boundaries(self._tokenize(lines))
        return pack(sentences, vocabulary, num_rows, unroll_steps)

    def _encode(self, rows: tf.data.Dataset) -> tf.data.Dataset:
        batches = rows.map(lambda row: self._encode_batch(row), tf.data.AUTOTUNE)
        return batches.prefetch(tf.data.AUTOTUNE)

    @_not_converted
    def _encode_batch(self, batch: Batch) -> Batch:
        """Tokens as char ids; backward rows turned round, to be read from the right."""
        tokens = tf.stack(
            [batch["forward_inputs"], tf.reverse(batch["backward_inputs"], [1])]
        )
        char_ids, index = to_distinct_char_ids(
            tf.reshape(tokens, [-1]), self.max_characters
        )
        forward_index, backward_index = tf.unstack(
            tf.reshape(index, tf.shape(tokens)), 2
        )
        shape = batch["forward_targets"].shape
        return {
            "char_ids": char_ids,
            "forward_index": tf.ensure_shape(forward_index, shape),
            "backward_index": tf.ensure_shape(backward_index, shape),
            "forward_targets": batch["forward_targets"],
            "backward_targets": tf.reverse(batch["backward_targets"], [1]),
            "continues": batch["continues"],
        }


def _is_full(batch: Batch) -> tf.Tensor:
    """Whether a batch begins anew, or more than half of it is tokens.

    All rows wait for the longest, so that the last batches before rows begin anew are
    nearly empty.
    """
    share = tf.reduce_mean(tf.cast(batch["forward_targets"] != NO_TARGET, tf.float32))
    return tf.logical_or(share > 0.5, tf.reduce_all(batch["continues"] == 0))


def _split_rows(batch: Batch, num_parts: int) -> Batch:
    """`(rows, ...)` as `(num_parts, rows / num_parts, ...)`."""
    return {
        name: tf.reshape(rows, [num_parts, rows.shape[0] // num_parts, *rows.shape[1:]])
        for name, rows in batch.items()
    }


def _find(names: str | os.PathLike | Sequence[str | os.PathLike]) -> list[str]:
    files = [str(path) for path in find_files(names, "files")]
    wrong = [file for file in files if not _can_be_read(file)]
    if wrong or not files:
        raise ValueError(
            "`files` should be text files on this machine, at least one, as they are "
            f"or as .gz. Received: {wrong}. Fetch and unpack them first"
        )
    return files


def _can_be_read(file: str) -> bool:
    """Whether TensorFlow reads it, which unpacks gzip alone."""
    return not is_address(file) and not file.endswith((".xz", ".bz2"))
