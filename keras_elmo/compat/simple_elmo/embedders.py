"""How an `ElmoModel` embeds texts: each by itself, or with a state that is carried."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_elmo.bilm import BiLM
from keras_elmo.bulk.layers import Layers
from keras_elmo.compat.batch_reader import BatchReader
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.text.preprocessor import ElmoPreprocessor
from keras_elmo.text.token_vocabulary import TokenVocabulary

# More tokens of a batch are hardly faster, and take more memory.
_MAX_TOKENS = 4096


class Embedder:
    """Embeds each text by itself.

    Args:
        stored: The `StoredModel` of the weights.
        max_rows: Texts of a batch at most, if all are as long as the longest.
    """

    def __init__(self, stored: Any, max_rows: int):
        # Neither a mix nor its layer normalisation is part of what is returned.
        self._elmo = ElmoEmbedding.from_stored_model(
            stored, do_layer_norm=False, sentence_boundaries=True
        )
        self._max_rows = max_rows
        self.bilm = self._elmo.bilm

    def vectors(
        self, rows: list[list[bytes]], chosen: Layers, warmup: bool
    ) -> Iterator[np.ndarray]:
        """Of each text `(tokens, *chosen.row_shape)`.

        Args:
            rows: The tokens of each text.
            chosen: What to return of them.
            warmup: See `ElmoModel.get_elmo_vectors`; no text here needs it.
        """
        longest = max(map(len, rows), default=0) + 2
        max_tokens = min(self._max_rows * longest, _MAX_TOKENS)
        stream: Any = self._elmo.encode_stream(rows, chosen.output_key, max_tokens)
        for outputs in stream:
            yield chosen.rows_of(outputs)


class CarryingEmbedder:
    """Embeds batches of texts, each going on where the one before ended.

    Args:
        stored: See `Embedder`.
        max_rows: Texts of a batch.
    """

    def __init__(self, stored: Any, max_rows: int):
        self.bilm = BiLM.from_stored_model(stored, return_state=True)
        self._max_rows = max_rows
        self._read = BatchReader(self.bilm)
        self._preprocessor = ElmoPreprocessor(
            max_characters=self.bilm.max_characters,
            sentence_boundaries=True,
            token_vocabulary=TokenVocabulary.of_stored_model(stored, self.bilm),
        )

    def vectors(
        self, rows: list[list[bytes]], chosen: Layers, warmup: bool
    ) -> Iterator[np.ndarray]:
        """See `Embedder.vectors`."""
        self._read.reset_state()
        starts = range(0, len(rows), self._max_rows)
        batches = [rows[start : start + self._max_rows] for start in starts]
        for batch in batches[:1] if warmup else []:
            self._embed(batch)
        for batch in batches:
            layers = self._embed(batch)
            for row, tokens in zip(layers, batch, strict=True):
                yield self._choose(row[:, : len(tokens)], chosen)

    def _embed(self, batch: list[list[bytes]]) -> np.ndarray:
        """`(texts, layers, time, dim)`."""
        char_ids = self._preprocessor(batch)["char_ids"]
        return self._read(char_ids)["lm_embeddings"].numpy()

    def _choose(self, layers: np.ndarray, chosen: Layers) -> np.ndarray:
        if chosen.name == "all":
            return layers.swapaxes(0, 1)
        return layers[-1] if chosen.name == "top" else layers.mean(axis=0)
