"""Any number of sentences, embedded in batches of about one length."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.embedding.compiled import PureCall
from keras_elmo.embedding.long_sentence import LongSentenceReader
from keras_elmo.embedding.word_vectors import WordVectors
from keras_elmo.text.batches import BATCHES_OF_WINDOW, batches, windows
from keras_elmo.text.sentences import token_lists
from keras_elmo.text.tokenizers import BEGIN_WORD, END_WORD


class SentenceStream:
    """Embeds sentences as they come, some batches ahead.

    What comes out depends on what is in the same window in the last bits alone; from
    the same start it is the same bit for bit.

    Args:
        elmo: A built `ElmoEmbedding`.
    """

    def __init__(self, elmo: Any):
        self._elmo = elmo
        self._embed = PureCall(elmo.computation.of_encoded, trained=elmo.variables)
        self._encode_tokens = PureCall(
            elmo.bilm.char_cnn, trained=[], frozen=elmo.bilm.char_cnn.variables
        )
        self._long = LongSentenceReader(elmo)

    def embed(
        self, sentences: Iterable, output_key: str | None, max_tokens: int
    ) -> Iterator[Any]:
        """See `ElmoEmbedding.encode_stream`."""
        for outputs in self._embed_all(sentences, output_key, max_tokens):
            yield outputs if output_key is None else outputs[output_key]

    def _embed_all(
        self, sentences: Iterable, output_key: str | None, max_tokens: int
    ) -> Iterator[dict[str, np.ndarray]]:
        rows = token_lists(sentences, self._elmo.tokenizer)
        if self._elmo.sentence_boundaries:
            begin, end = [BEGIN_WORD.encode()], [END_WORD.encode()]
            rows = (begin + row + end for row in rows)
        vectors = WordVectors(
            self._encode_tokens,
            self._elmo,
            least_capacity=2 * BATCHES_OF_WINDOW * max_tokens,
        )
        for window in windows(rows, max_tokens):
            results: list = [None] * len(window)
            for batch in batches([len(row) for row in window], max_tokens):
                rows_of_batch = [window[index] for index in batch]
                if self._is_long(rows_of_batch[0], max_tokens):
                    embedded: Iterable = [
                        self._long.read(
                            rows_of_batch[0], vectors, output_key, max_tokens
                        )
                    ]
                else:
                    embedded = self._embed_batch(rows_of_batch, vectors, output_key)
                for index, outputs in zip(batch, embedded, strict=True):
                    results[index] = outputs
            yield from results

    def _is_long(self, row: Sequence[bytes], max_tokens: int) -> bool:
        # Layer normalisation needs all of a sentence at once.
        return len(row) > max_tokens and not self._elmo.do_layer_norm

    def _embed_batch(
        self, rows: Sequence[Sequence[bytes]], vectors: WordVectors, key: str | None
    ) -> Iterator[dict[str, np.ndarray]]:
        lengths = np.array([len(row) for row in rows], "int32")
        boundaries = 2 if self._elmo.sentence_boundaries else 0
        time = max(int(lengths.max()), 1 + boundaries)
        # Negative numbers name rows of `"word_emb"`, see `char_ids.CACHED_FORM`.
        numbers: dict[bytes, int] = {}
        index = np.zeros((len(rows), time), "int32")
        for places, tokens in zip(index, rows, strict=True):
            places[: len(tokens)] = [
                numbers.setdefault(token, -1 - len(numbers)) for token in tokens
            ]
        encoded = {
            "char_ids": tf.zeros([1, 3], tf.int32),
            "word_emb": tf.pad(vectors(list(numbers)), [[1, 0], [0, 0]]),
            "token_index": tf.constant(index),
            "sequence_len": tf.constant(lengths),
        }
        outputs, _ = self._embed(encoded, packed=True, output_key=key)
        arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
        for row, length in enumerate(lengths - boundaries):
            # Each is copied, so that who keeps one sentence does not keep its batch.
            yield {
                name: array[row].copy()
                if name == "default"
                else array[row, : max(length, 0)].copy()
                for name, array in arrays.items()
            }
