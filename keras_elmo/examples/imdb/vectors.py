"""What the biLM computes of the reviews, once, on disk."""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding
from keras_elmo.bulk import Embeddings, embed_corpus
from keras_elmo.bulk import open as open_embeddings
from keras_elmo.bulk.fingerprint import fingerprint
from keras_elmo.examples.imdb.batches import Batches
from keras_elmo.examples.imdb.reviews import Reviews
from keras_elmo.files.atomic import replacing
from keras_elmo.files.locks import lock_beside

_KEY_LENGTH = 16


def frozen_vectors(
    elmo: ElmoEmbedding,
    texts: Sequence[str],
    folder: Path,
    dtype: str = "float16",
    report: Callable[[str], None] = print,
) -> Embeddings:
    """Every layer for every token of each text, from `folder` if it is there.

    Their place there depends on weights, text and dtype, so that others are never
    taken for them. An interrupted computation goes on. What is damaged, or was computed
    by other versions of the libraries, is computed anew.

    Args:
        elmo: The embedding, with the tokenizer `"space"`.
        texts: Tokens joined by spaces.
        folder: Where the vectors of this and of other texts are, or will be.
        dtype: `"float16"` (default), which takes half the disk, or `"float32"`.
        report: What to do with lines that tell of it. Defaults to `print`.

    Returns:
        The `Embeddings`, for each text `(layers, tokens, dim)`.

    Raises:
        OSError: if the disk is full.
        FloatingPointError: if a value is too large for `dtype`.
    """
    content = "".join(f"{text}\n" for text in texts).encode("utf-8")
    digest = hashlib.sha256(content)
    digest.update(f"{fingerprint(elmo)} {dtype}".encode())
    path = folder / digest.hexdigest()[:_KEY_LENGTH]
    folder.mkdir(parents=True, exist_ok=True)
    lines = path.with_suffix(".txt")
    embed = functools.partial(
        embed_corpus,
        *(elmo, lines, path),
        format="npy",
        dtype=dtype,
        report=report,
    )
    with lock_beside(lines):  # another run may want the same
        if not lines.is_file() or lines.read_bytes() != content:
            with replacing(lines) as temporary:
                Path(temporary).write_bytes(content)
        try:
            embed(resume=True)
        except ValueError as error:
            report(f"{os.fspath(path)} is computed anew: {error}")
            embed(overwrite=True)
    return open_embeddings(path)


def vector_batches(reviews: Reviews, vectors: Embeddings, batch_size: int) -> Batches:
    """Batches of vectors, padded, as the inputs of `Classifier.on_vectors`."""
    layers, _, dim = vectors.shape or (None, None, None)  # of no reviews
    signature = {
        "vectors": tf.TensorSpec((None, layers, None, dim), vectors.dtype),
        "tokens": tf.TensorSpec((None, None), tf.string),
    }
    load = functools.partial(load_padded, vectors, reviews.tokens)
    return Batches(reviews, load, signature, batch_size)


def load_padded(
    vectors: Sequence[np.ndarray], texts: Sequence[str], numbers: np.ndarray
) -> dict[str, np.ndarray]:
    """The vectors of some texts as the inputs of `Classifier.on_vectors`."""
    rows = [vectors[number] for number in numbers]
    longest = max(1, *(row.shape[1] for row in rows))
    layers, _, dim = rows[0].shape
    batch = np.zeros((len(rows), layers, longest, dim), rows[0].dtype)
    tokens = np.full((len(rows), longest), b"", dtype=object)
    for index, (row, number) in enumerate(zip(rows, numbers, strict=True)):
        batch[index, :, : row.shape[1]] = row
        tokens[index, : row.shape[1]] = texts[number].encode().split()
    return {"vectors": batch, "tokens": tokens}
