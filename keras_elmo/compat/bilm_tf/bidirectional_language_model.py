import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_boolean, check_positive_integer
from keras_elmo.bilm import BiLM
from keras_elmo.compat.batch_reader import BatchReader
from keras_elmo.compat.bilm_tf.vocabulary_file import check_file
from keras_elmo.compat.bilm_tf.weight_layers import BilmOps
from keras_elmo.layers import ScalarMix
from keras_elmo.text.checks import check_encoded, described, require_integers
from keras_elmo.weights.containers.hdf5 import read_arrays


class BidirectionalLanguageModel:
    """A frozen biLM that is called on integers, as bilm-tf's.

    Reference: bilm-tf (`bilm/model.py`).

    Args:
        options_file: Path of `options.json`, or its content as a dictionary.
        weight_file: Path of the HDF5 file of the weights.
        use_character_inputs: Whether it is called on the character ids of a `Batcher`
            (default), or else on the numbers of a `TokenBatcher`.
        embedding_weight_file: For the latter, path of the file that
            `dump_token_embeddings` wrote.
        max_batch_size: Rows of a batch at most, with `stateful=True`. Defaults to 128.
        stateful: Whether each row of a batch starts from where that row of the batch
            before ended, as in bilm-tf, so that the same text is embedded differently
            each time. Defaults to False: every batch starts from zeros.

    Call arguments:
        ids: Integers `(batch, time, max_characters_per_token)`, or `(batch, time)`: an
            array, a tensor, or a `keras.Input` without the batch axis, say
            `keras.Input((None, 50), dtype="int32")`, for a Keras model.

    Returns:
        Dictionary. What bilm-tf leaves undefined is 0 here: all where there is no
        token.

        - `"lm_embeddings"`: `(batch, layers, time - 2, 2 * projection_dim)`, every
          layer, without `<S>` and `</S>`, the first being `word_emb` twice;
        - `"lengths"`: int32 `(batch,)`, tokens of each row;
        - `"token_embeddings"`: `(batch, time, projection_dim)`, `word_emb`, with
          those of `<S>` and `</S>`;
        - `"mask"`: Boolean `(batch, time - 2)`, True where there is a token.

    Attributes:
        bilm: The `BiLM`.
        mixes: By name, the `ScalarMix` that each `weight_layers` made.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if an argument is not as described, or the files are broken or do
            not belong together.
    """

    def __init__(
        self,
        options_file: str | os.PathLike | Mapping,
        weight_file: str | os.PathLike,
        use_character_inputs: bool = True,
        embedding_weight_file: str | os.PathLike | None = None,
        max_batch_size: int = 128,
        stateful: bool = False,
    ):
        check_boolean("use_character_inputs", use_character_inputs)
        self._is_stateful = check_boolean("stateful", stateful)
        self._max_rows = check_positive_integer("max_batch_size", max_batch_size)
        if not use_character_inputs and embedding_weight_file is None:
            raise ValueError(
                "`embedding_weight_file` should come with `use_character_inputs=False`."
                " Received: None. `dump_token_embeddings` writes one"
            )
        self.bilm = BiLM.from_hdf5(options_file, weight_file, return_state=stateful)
        self.mixes: dict[str, ScalarMix] = {}
        word_vectors = None
        if not use_character_inputs:
            width = self.bilm.projection_dim
            word_vectors = _read_word_vectors(embedding_weight_file, width)
        self._num_words = None if word_vectors is None else len(word_vectors)
        self._reader = BatchReader(self.bilm, word_vectors)

    def __call__(self, ids: Any) -> BilmOps:
        if not isinstance(ids, keras.KerasTensor):
            ids = require_integers(tf.convert_to_tensor(ids), "ids")
        self._check_shape(ids)
        if not isinstance(ids, keras.KerasTensor):
            self._check_values(ids)
        return BilmOps(self._reader(ids), self.mixes)

    def _check_shape(self, ids: Any) -> None:
        expected, shape = [None, None], tuple(ids.shape)
        batcher = "TokenBatcher"
        if self._num_words is None:
            expected.append(self.bilm.max_characters)
            batcher = "Batcher"
        if len(shape) != len(expected) or shape[2:] != tuple(expected[2:]):
            sizes = ", ".join(map(str, ["batch", "time", *expected[2:]]))
            raise ValueError(
                f"`ids` should be ({sizes}), the integers of a `{batcher}`. Received: "
                f"shape {shape}"
            )
        if self._is_stateful and shape[0] is not None and shape[0] > self._max_rows:
            raise ValueError(
                f"`ids` should have at most {self._max_rows} rows, `max_batch_size`. "
                f"Received: {shape[0]}. Raise it, or make smaller batches"
            )

    def _check_values(self, ids: tf.Tensor) -> None:
        if self._num_words is None:
            lengths = tf.math.count_nonzero(ids[..., 0] > 0, axis=1)
            check_encoded({"char_ids": ids, "sequence_len": lengths}, boundaries=True)
            return
        problem = (
            f"`ids` should be in 0..{self._num_words}, the words of "
            "`embedding_weight_file`. Dump them with the vocabulary of the "
            "`TokenBatcher`"
        )
        is_right = tf.reduce_all((ids >= 0) & (ids <= self._num_words))
        if not tf.executing_eagerly():
            tf.debugging.Assert(is_right, [problem])
        elif not is_right:
            received = f"{described(ids)}, of up to {int(tf.reduce_max(ids))}"
            raise ValueError(f"{problem}. Received: {received}")


def _read_word_vectors(path: Any, width: int) -> np.ndarray:
    """What `dump_token_embeddings` wrote, `(words, width)`."""
    check_file("embedding_weight_file", path)
    arrays = read_arrays(path)
    shape = arrays["embedding"].shape if "embedding" in arrays else None
    if shape is None or len(shape) != 2 or shape[1] != width:
        raise ValueError(
            f"`embedding_weight_file` should hold `embedding` of shape (words, {width})"
            f", as `dump_token_embeddings` writes it with these weights. Received: "
            f"{os.fspath(path)!r} with "
            f"{ {name: array.shape for name, array in arrays.items()} }"
        )
    vectors = arrays["embedding"][...].astype("float32")
    if not np.isfinite(vectors).all():
        raise ValueError(
            "`embedding_weight_file` should hold finite numbers. Received: "
            f"{os.fspath(path)!r}, whose `embedding` holds NaN or infinity. Dump it "
            "again"
        )
    return vectors
