import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.arguments import check_boolean, check_choice, check_positive_integer
from keras_elmo.bulk.layers import Layers
from keras_elmo.compat.simple_elmo.embedders import CarryingEmbedder, Embedder
from keras_elmo.compat.simple_elmo.substitutes import find_substitutes
from keras_elmo.compat.token_lists import as_token_lists, check_sentences
from keras_elmo.pretraining.language_model import LanguageModel, vocabulary_of
from keras_elmo.weights.open_weights import open_weights

LAYERS = ("average", "top", "all")


class ElmoModel:
    """simple_elmo's interface: `load` weights, then embed lists of tokens.

    What is different from simple_elmo:

    - A sentence is embedded by itself, from zeros. simple_elmo goes on from the state
      that the batch before left, so that a vector depends on what stands before it, on
      `max_batch_size` and on `warmup`. With `stateful=True` it is so here too.
    - Padding is 0 throughout. simple_elmo has a third of the vector of an empty token
      there for `layers="average"` (and all of it in layer 0 of `"all"`), wherever the
      batch of a sentence has a longer one, and counts it in averages.
    - Averages of `layers="all"` are those of each layer. simple_elmo (0.9.2) confuses
      the axes of layers and tokens there.
    - A string in place of a list of tokens is refused. simple_elmo takes every
      character for a token.

    Args:
        stateful: Whether to carry the state of the LSTMs from batch to batch, within a
            call of a method, as simple_elmo does. Defaults to False.

    Raises:
        ValueError: if it is not True or False.

    Example:

    >>> model = ElmoModel()
    >>> model.load("tiny_en")
    >>> sentences = [["He", "sat", "by", "the", "river", "."], ["It", "rained", "."]]
    >>> model.get_elmo_vectors(sentences, layers="average").shape
    (2, 6, 256)
    >>> model.get_elmo_vectors(sentences, layers="all").shape
    (2, 3, 6, 256)
    >>> model.get_elmo_vector_average(sentences).shape
    (2, 256)
    """

    def __init__(self, stateful: bool = False):
        self._is_stateful = check_boolean("stateful", stateful)
        self._embedder: Any = None
        self._language_model: LanguageModel | None = None

    def load(
        self,
        directory: str | os.PathLike,
        max_batch_size: int = 32,
        limit: int | None = 100,
        full: bool = False,
    ) -> None:
        """Loads pretrained weights.

        Args:
            directory: Path of a folder with `options.json` and `model.hdf5` (or one
                other HDF5 file), or of a .zip of the NLPL repository; or whatever else
                `ElmoEmbedding.from_preset` takes.
            max_batch_size: Sentences of a batch at most, which bounds memory: with
                `stateful=False`, no batch has more positions than so many sentences of
                the longest one's length. Defaults to 32.
            limit: How many words of `vocab.txt` simple_elmo keeps the character ids of.
                It is checked, and changes nothing: here each distinct word of a call is
                encoded once. Defaults to 100.
            full: Whether to load the softmax and its vocabulary as well (`vocab.txt` or
                `vocab.txt.gz`), from a checkpoint of bilm-tf, which
                `get_elmo_substitutes` needs. Defaults to False. Vectors can be had of
                such a model too.

        Raises:
            FileNotFoundError: if there is no such thing; or, with `full`, no softmax or
                no vocabulary.
            ValueError: if an argument is not as described, or a file is broken.
        """
        check_positive_integer("max_batch_size", max_batch_size)
        if limit is not None:
            check_positive_integer("limit", limit)
        check_boolean("full", full)
        stored = open_weights(_weights_of(directory, full))
        make = CarryingEmbedder if self._is_stateful else Embedder
        self._embedder = make(stored, max_batch_size)
        self._language_model = None
        if full:
            vocabulary = vocabulary_of(stored)
            model = LanguageModel(self._embedder.bilm, vocabulary, batch_size=1)
            model.load_softmax(stored)
            self._language_model = model
        self.batch_size = max_batch_size
        self.max_chars = self._embedder.bilm.max_characters
        self.vector_size = 2 * self._embedder.bilm.projection_dim
        self.n_layers = 1 + self._embedder.bilm.num_layers

    def get_elmo_vectors(
        self,
        texts: Iterable[Sequence[str]],
        warmup: bool = True,
        layers: str = "average",
        session: None = None,
    ) -> np.ndarray:
        """The vectors of all tokens.

        Args:
            texts: Lists of tokens.
            warmup: With `stateful=True`, whether to read the first batch once before
                all, as simple_elmo does. Else it changes nothing, since a sentence
                needs no other before it. Defaults to True.
            layers: `"average"` (default), the mean of all layers of a token; `"top"`,
                the last layer; or `"all"`, every one, the first being the context-free
                `word_emb` twice.
            session: None. There are no sessions in TensorFlow 2.

        Returns:
            float64 `(texts, longest, vector_size)`, or `(texts, n_layers, longest,
            vector_size)` for `"all"`; 0 where a text has no token.

        Raises:
            RuntimeError: before `load`.
            ValueError: if an argument is not as described.
        """
        token_rows, chosen, vectors = self._vectors(texts, warmup, layers, session)
        longest = max(map(len, token_rows), default=0)
        *of_layers, dim = chosen.row_shape
        result = np.zeros((len(token_rows), *of_layers, longest, dim))
        rows = result.swapaxes(1, 2) if of_layers else result
        for row, array in zip(rows, vectors, strict=True):
            row[: len(array)] = array
        return result

    def get_elmo_vector_average(
        self,
        texts: Iterable[Sequence[str]],
        warmup: bool = True,
        layers: str = "average",
        session: None = None,
    ) -> np.ndarray:
        """One vector a text: the mean of those of its tokens, at length 1.

        Args:
            texts: See `get_elmo_vectors`; so are the others.

        Returns:
            float64 `(texts, vector_size)`, or `(texts, n_layers, vector_size)` for
            `"all"`, where all layers of a text have the length 1 together. A text
            without tokens has zeros.

        Raises:
            RuntimeError, ValueError: see `get_elmo_vectors`.
        """
        token_rows, chosen, vectors = self._vectors(texts, warmup, layers, session)
        result = np.zeros((len(token_rows), *chosen.row_shape))
        for row, array in zip(result, vectors, strict=True):
            total = array.sum(axis=0, dtype="float64")
            row[...] = total / (np.linalg.norm(total) or 1)
        return result

    def get_elmo_substitutes(
        self,
        data: Iterable[str | Sequence[str]],
        topn: int = 3,
        nodelimiters: bool = True,
    ) -> list[list[dict[str, Any]]]:
        """The words that either direction expects in the place of each token.

        Forward that is from what is before the token, backward from what is after it;
        `LanguageModel.substitutes` combines the two. What is different from
        simple_elmo: `logp` are log-probabilities and no logits, the most probable word
        comes first, and sentences come in the order given, as few as there are.

        Args:
            data: Sentences, split on white space; or lists of tokens.
            topn: How many words. Defaults to 3.
            nodelimiters: Whether to leave `<S>` and `</S>` out. Defaults to True.

        Returns:
            For each sentence, of each of its tokens, `{"word": ..., "forward":
            {"candidates": [...], "candidate_words": [...], "logp": [...]}, "backward":
            {...}}`: the token, or `<UNK>` if the vocabulary lacks it, and of `topn`
            words the number in the vocabulary, the word itself, and the natural
            logarithm of its probability, to four places.

            Of `tiny_en` and "It was a cold and rainy day .", the words for `day` are
            `night`, `,` and `man` forward.

        Raises:
            RuntimeError: before `load`.
            ValueError: if the model was not loaded with `full=True`, or an argument is
                not as described.
        """
        self._check_loaded()
        check_positive_integer("topn", topn)
        check_boolean("nodelimiters", nodelimiters)
        if self._language_model is None:
            raise ValueError(
                "`full` should be True for substitutes, which need the softmax. "
                "Received: a model loaded without. Load it by `load(..., full=True)`"
            )
        check_sentences("data", data)
        data = [s.split() if isinstance(s, str) else s for s in data]
        rows = as_token_lists("data", data)
        return find_substitutes(self._language_model, rows, topn, nodelimiters)

    def _vectors(
        self, texts: Any, warmup: bool, layers: str, session: None
    ) -> tuple[list[list[bytes]], Layers, Iterator[np.ndarray]]:
        """The tokens, the chosen layers, and of each text `(tokens, *row_shape)`."""
        check_boolean("warmup", warmup)
        check_choice("layers", layers, LAYERS)
        if session is not None:
            raise ValueError(
                "`session` should be left out: there are no sessions in TensorFlow 2, "
                f"and a loaded model is ready. Received: session={session!r}"
            )
        self._check_loaded()
        rows = as_token_lists("texts", texts)
        bilm = self._embedder.bilm
        chosen = Layers(layers, bilm.num_layers, bilm.projection_dim)
        return rows, chosen, self._embedder.vectors(rows, chosen, warmup)

    def _check_loaded(self) -> None:
        if self._embedder is None:
            raise RuntimeError(
                "`load` should be called first. Received: a model without weights"
            )


def _weights_of(directory: Any, full: bool) -> Any:
    """What to open: beside a checkpoint, simple_elmo takes `model.hdf5` if there."""
    if isinstance(directory, str | os.PathLike) and not full:
        weights = Path(directory) / "model.hdf5"
        if weights.is_file():
            return weights
    return directory
