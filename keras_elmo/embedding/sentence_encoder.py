from collections.abc import Sized
from typing import Any

import numpy as np

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.files.progress import progress_bar
from keras_elmo.text.sentences import check_sentences


class SentenceEncoder:
    """What `ElmoEmbedding` does with any number of sentences."""

    bilm: Any
    output_keys: Any
    stream: Any
    do_layer_norm: Any

    def encode(
        self,
        sentences,
        output_key="default",
        normalize=False,
        center=False,
        progress=True,
        max_tokens=4096,
    ):
        """Embeds any number of sentences, into arrays in the order given.

        A call embeds one batch; this makes batches of sentences of about one length,
        and encodes each distinct token once. Beyond the result, memory does not grow
        with the number of sentences, nor with the length of one.

        Mean vectors of ELMo are anisotropic: all have a large part in common, so that
        cosines of unrelated sentences are high too. `center=True` takes it away.

        Args:
            sentences: Strings, split by `tokenizer`, or lists of tokens: a list, a
                generator, an array, a pandas Series.
            output_key: Name of the output, see `ElmoEmbedding`. Defaults to
                `"default"`, one vector a sentence; None is all of them.
            normalize: Whether to give every vector the length 1. Defaults to False.
            center: Whether to subtract the mean of all vectors of this call, before
                `normalize`. Defaults to False, since then a vector would depend on
                the other sentences.
            progress: Whether to show a progress bar, where there is a terminal.
                Defaults to True.
            max_tokens: Positions of a batch, padding included, which bounds memory.
                Longer sentences are read in windows of so many. Defaults to 4096,
                from where on more is hardly faster.

        Returns:
            `(sentences, 2 * projection_dim)` for `"default"`, a list of arrays
            `(tokens, dim)` for others, in the compute dtype; for None, a dictionary.

        Raises:
            ValueError: if `sentences` is one string, or not of strings or lists of
                strings; or another argument is not as described; or if the layer has
                `do_layer_norm=True`, with which results depend on the batch.

        Example:

        >>> import keras_elmo
        >>> elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
        >>> elmo.encode(["the cat sat", "dogs"]).shape
        (2, 256)
        >>> [x.shape for x in elmo.encode(["the cat sat", "dogs"], output_key="elmo")]
        [(3, 256), (1, 256)]
        """
        total = len(sentences) if isinstance(sentences, Sized) else None
        stream = self.encode_stream(sentences, output_key, max_tokens)
        with progress_bar("sentences", is_wanted=progress) as bar:
            encoded = list(bar.track(stream, total=total))

        def finish(key, arrays):
            if key == "default":
                arrays = _joined(arrays, 2 * self.bilm.projection_dim)
            if center:
                arrays = _centered(arrays)
            return _each(_normalized, arrays) if normalize else arrays

        if output_key is not None:
            return finish(output_key, encoded)
        return {
            key: finish(key, [outputs[key] for outputs in encoded])
            for key in self.output_keys
        }

    def encode_stream(self, sentences, output_key="default", max_tokens=4096):
        """As `encode`, but yields the sentences one by one, and reads them as needed.

        Sentences are read some thousands of tokens ahead.

        Args:
            sentences: See `encode`; so are the others.

        Returns:
            Iterator over the arrays of each sentence, `(2 * projection_dim,)` for
            `"default"`, else `(tokens, dim)`; for None, over dictionaries of them. A
            sentence whose arrays take more than 64 MiB may have them on disk
            (`np.memmap`), in files that vanish with them.

        Raises:
            ValueError: see `encode`.

        Example:

        >>> import keras_elmo
        >>> elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
        >>> lines = iter(["the cat sat", "dogs"])
        >>> [vector.shape for vector in elmo.encode_stream(lines)]
        [(256,), (256,)]
        """
        check_choice("output_key", output_key, (None, *self.output_keys))
        check_positive_integer("max_tokens", max_tokens)
        check_sentences(sentences)
        if self.do_layer_norm is True:
            raise ValueError(
                "`encode` makes batches of its own, which the values of a layer with "
                '`do_layer_norm=True` would depend on. Use `do_layer_norm="row"`, or '
                "call the layer on batches of yours. Received: do_layer_norm=True"
            )
        return self.stream.embed(sentences, output_key, max_tokens)

    def similarity(self, vectors, others):
        """The cosine of each vector with each other one.

        Args:
            vectors: `(n, dim)`, such as `encode` returns.
            others: `(m, dim)`.

        Returns:
            float32 `(n, m)`, in -1..1; 0 for a vector of zeros.

        Raises:
            ValueError: if these are no two matrices of the same width.

        Example:

        >>> import keras_elmo
        >>> elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
        >>> vectors = elmo.encode(["the cat sat", "the cat sat"])
        >>> elmo.similarity(vectors, vectors).round(3).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        """
        vectors, others = (np.asarray(x, "float32") for x in (vectors, others))
        if vectors.ndim != 2 or others.ndim != 2 or vectors.shape[1] != others.shape[1]:
            raise ValueError(
                "`vectors` and `others` should be (n, dim) and (m, dim), as `encode` "
                f"returns them. Received: shapes {vectors.shape} and {others.shape}"
            )
        return _normalized(vectors) @ _normalized(others).T


def _joined(arrays, width):
    """One matrix of the vectors of all sentences."""
    return np.stack(arrays) if arrays else np.zeros((0, width), "float32")


def _each(function, arrays):
    """A function of one matrix, of one or of a list of them."""
    return (
        [function(x) for x in arrays] if isinstance(arrays, list) else function(arrays)
    )


def _centered(arrays):
    """The vectors without their mean, in float32 where it is added up."""
    matrices = arrays if isinstance(arrays, list) else [arrays]
    count = max(sum(len(matrix) for matrix in matrices), 1)
    total = sum(matrix.sum(axis=0, dtype="float32") for matrix in matrices)
    return _each(lambda matrix: (matrix - total / count).astype(matrix.dtype), arrays)


def _normalized(matrix):
    """Rows of length 1, but rows of zeros as they are."""
    norms = np.linalg.norm(matrix.astype("float32"), axis=-1, keepdims=True)
    return (matrix / np.where(norms == 0, 1, norms)).astype(matrix.dtype)
