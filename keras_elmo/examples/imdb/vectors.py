"""What the biLM computes of the reviews, once, on disk."""

import contextlib
import errno
import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding
from keras_elmo.bulk import Embeddings, embed_corpus
from keras_elmo.bulk import open as open_embeddings
from keras_elmo.bulk.fingerprint import fingerprint
from keras_elmo.bulk.formats import Layout
from keras_elmo.bulk.layers import Layers
from keras_elmo.examples.imdb.batches import Batches
from keras_elmo.examples.imdb.reviews import Reviews
from keras_elmo.files.atomic import replacing
from keras_elmo.files.locks import lock_beside
from keras_elmo.files.paths import remove_tree
from keras_elmo.files.units import format_bytes

_KEY_LENGTH = 16
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_room(
    elmo: ElmoEmbedding,
    groups: Iterable[Sequence[str]],
    folder: Path,
    dtype: str = "int16",
    report: Callable[[str], None] = print,
    is_adapted_later: bool = False,
) -> None:
    """Refuses to start what the disk has no room for.

    Args:
        elmo: See `frozen_vectors`; so are the others.
        groups: All texts whose vectors will be computed, as they will be.
        is_adapted_later: Whether the vectors will be of other weights of the same
            sizes, so that none of them can be there yet. Defaults to False.

    Raises:
        OSError: if it has not.
    """
    groups = list(groups)
    tokens = sum(len(text.split()) for texts in groups for text in texts)
    layers = Layers("all", elmo.bilm.num_layers, elmo.bilm.projection_dim)
    layout = Layout(0, 0, tokens, layers.row_shape, layers.columns, dtype)
    size = layout.rows * layout.row_bytes
    folder.mkdir(parents=True, exist_ok=True)
    known = [] if is_adapted_later else groups
    places = [_place(elmo, texts, folder, dtype) for texts in known]
    files = [path for place in places for path in place.rglob("vectors.npy")]
    missing = max(size - sum(path.stat().st_size for path in files), 0)
    free = shutil.disk_usage(folder).free
    report(
        f"vectors of {tokens:,} tokens: {format_bytes(size)}, of which "
        f"{format_bytes(missing)} are to come; {format_bytes(free)} free in {folder}"
    )
    if missing > free:
        raise OSError(
            errno.ENOSPC,
            f"About {format_bytes(missing)} are needed for vectors and "
            f"{format_bytes(free)} are free. Name a folder on another disk by "
            "`--vectors`, or read less by `--max-tokens` or `--limit`",
            os.fspath(folder),
        )


def frozen_vectors(
    elmo: ElmoEmbedding,
    texts: Sequence[str],
    folder: Path,
    dtype: str = "int16",
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
        dtype: `"int16"` (default), which takes half the disk and changes probabilities
            by less than 1e-4, or `"float32"`.
        report: What to do with lines that tell of it. Defaults to `print`.

    Returns:
        The `Embeddings`, for each text `(layers, tokens, dim)`.

    Raises:
        OSError: if the disk is full.
        FloatingPointError: if a value is not finite.
    """
    content, path = _content(texts), _place(elmo, texts, folder, dtype)
    folder.mkdir(parents=True, exist_ok=True)
    lines = path.with_suffix(".txt")
    embed = functools.partial(
        embed_corpus,
        *(elmo, lines, path),
        format="npy",
        dtype=dtype,
        ignore_free_space=True,  # `check_room` is for all texts, and knows more
        report=report,
    )
    # Another run may want the same.
    with lock_beside(lines), _full_disk_told(path):
        if not lines.is_file() or lines.read_bytes() != content:
            with replacing(lines) as temporary:
                Path(temporary).write_bytes(content)
        try:
            embed(resume=True)
        except (ValueError, FileExistsError) as error:
            report(f"{os.fspath(path)} is computed anew: {error}")
            remove_tree(path)
            embed()
    return open_embeddings(path)


@contextlib.contextmanager
def _full_disk_told(path: Path) -> Iterator[None]:
    """Says what to do about a full disk, in terms of this script."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise OSError(
            error.errno,
            f"{os.strerror(error.errno)}. What is computed is kept: make room, and "
            "give the same command",
            os.fspath(path),
        ) from error


def _content(texts: Iterable[str]) -> bytes:
    """The file of the texts."""
    return "".join(f"{text}\n" for text in texts).encode("utf-8")


def _place(elmo: ElmoEmbedding, texts: Sequence[str], folder: Path, dtype: str) -> Path:
    """Where the vectors of these weights and texts are, or will be."""
    digest = hashlib.sha256(_content(texts))
    digest.update(f"{fingerprint(elmo)} {dtype}".encode())
    return folder / digest.hexdigest()[:_KEY_LENGTH]


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
