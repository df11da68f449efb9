from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.text.encode import to_char_ids

_CHUNK = 256  # tokens
_SHORT = 16  # characters, which most tokens fit into
_CAPACITY = 64 << 20  # bytes


class WordVectors:
    """The `word_emb` of tokens, each computed once as long as there is room.

    Tokens are encoded in chunks of one size, and padded to one of two lengths that is
    theirs alone. So a vector depends on its token to the last bit, whenever and beside
    whatever it is computed.

    Args:
        encode: Function of char ids `(tokens, characters)`, the character CNN.
        elmo: The `ElmoEmbedding` that it belongs to.
        least_capacity: How many distinct tokens there is room for at least.

    Call arguments:
        tokens: Byte strings.

    Returns:
        `(tokens, projection_dim)`.
    """

    def __init__(self, encode: Any, elmo: Any, least_capacity: int):
        self._encode = encode
        self._cache = elmo.word_cache
        self._max_characters = elmo.bilm.max_characters
        self._vocabulary = elmo.token_vocabulary
        width = elmo.bilm.projection_dim
        self._capacity = max(_CAPACITY // (4 * width), least_capacity)
        self._dtype = tf.as_dtype(elmo.compute_dtype).as_numpy_dtype
        # Memory is taken as it is written to.
        self._table = np.empty((self._capacity, width), self._dtype)
        self._rows: dict[bytes, int] = {}

    def __call__(self, tokens: Sequence[bytes]) -> np.ndarray:
        missing = list(dict.fromkeys(t for t in tokens if t not in self._rows))
        if len(self._rows) + len(missing) > self._capacity:
            # Frequent words come back at once, so that little is computed twice.
            self._rows.clear()
            missing = list(dict.fromkeys(tokens))
        if len(missing) > len(self._table):
            self._table = np.empty((len(missing), self._table.shape[1]), self._dtype)
        self._add(missing)
        return self._table[[self._rows[token] for token in tokens]]

    def _add(self, tokens: Sequence[bytes]) -> None:
        longest = self._max_characters
        short = min(_SHORT, longest)
        for characters in dict.fromkeys((short, longest)):
            is_short = characters == short
            # Longer tokens are cut, so all of them fit the longest.
            fits = [
                t for t in tokens if (min(len(t) + 2, longest) <= short) == is_short
            ]
            for start in range(0, len(fits), _CHUNK):
                self._add_chunk(fits[start : start + _CHUNK], characters)

    def _add_chunk(self, tokens: list[bytes], characters: int) -> None:
        padded = tf.constant(tokens + [b""] * (_CHUNK - len(tokens)))
        ids = to_char_ids(padded, characters, self._vocabulary)
        vectors = self._encode(ids).numpy()[: len(tokens)]
        if self._cache is not None:
            rows = self._cache(padded).numpy()[: len(tokens)]
            known = np.asarray(tf.cast(self._cache.word_emb.value, vectors.dtype))
            vectors = np.where((rows >= 0)[:, None], known[rows], vectors)
        first = len(self._rows)
        self._table[first : first + len(tokens)] = vectors
        self._rows.update(zip(tokens, range(first, first + len(tokens)), strict=True))
