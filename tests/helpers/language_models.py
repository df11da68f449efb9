"""A language model whose every part matters, and the same in plain NumPy."""

import functools

import numpy as np
import oracles

from keras_elmo import BiLM
from keras_elmo.pretraining import LanguageModel, Vocabulary
from keras_elmo.weights.variables import named_variables

WORDS = ["<S>", "</S>", "<UNK>", "the", "cat", "sat", "dog", "ran"]
VOCABULARY = Vocabulary(WORDS)


def language_model(batch_size=1, **kwargs):
    """One in which both clips act; `kwargs` are arguments of `LanguageModel`."""
    bilm = BiLM(
        filters=[[1, 3], [2, 4]],
        units=8,
        projection_dim=5,
        embedding_dim=3,
        num_highway_layers=1,
        cell_clip=0.5,
        projection_clip=0.2,
        sentence_boundaries=True,
    )
    # With weights as large as these, both clips act, and no bias is zero.
    for variable in bilm.variables:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape) * 0.7)
    model = LanguageModel(bilm, VOCABULARY, batch_size, **{"seed": 1, **kwargs})
    kernel = np.random.default_rng(2).normal(size=model.softmax.kernel.shape)
    model.softmax.kernel.assign(kernel * 0.5)
    model.softmax.bias.assign(np.linspace(-1, 1, len(VOCABULARY)))
    return model


def named(model):
    """Its variables by name."""
    return {**named_variables(model.bilm), **model.softmax_variables()}


def double_weights(model):
    """The weights by name, in double precision."""
    return {k: v.numpy().astype("float64") for k, v in named(model).items()}


class Oracle:
    """The model of `language_model` in NumPy.

    Args:
        weights: By name, as `double_weights` returns them.
    """

    def __init__(self, weights):
        self.weights = weights
        self.word_emb = functools.cache(self._word_emb)

    def log_probabilities(self, sentences):
        """Of all words, at each token that each direction predicts.

        Args:
            sentences: Lists of words. The state is carried from one to the next.

        Returns:
            For each direction `(predictions, vocabulary)`, in its reading order, and
            the words that are there.
        """
        results = []
        for direction in range(2):
            streams = [["<S>", *s, "</S>"][:: 1 - 2 * direction] for s in sentences]
            read = [token for stream in streams for token in stream[:-1]]
            words = [token for stream in streams for token in stream[1:]]
            logits = self._logits(direction, read)
            normalizer = np.log(np.exp(logits).sum(axis=1, keepdims=True))
            results.append((logits - normalizer, words))
        return results

    def losses(self, sentences):
        """Both directions' negative log likelihoods of each token."""
        return [
            -scores[np.arange(len(words)), ids(words)]
            for scores, words in self.log_probabilities(sentences)
        ]

    def _word_emb(self, token):
        weights = self.weights
        char_ids = np.array(oracles.char_ids(token.encode()))
        maxima = [
            oracles.char_convolution(
                char_ids,
                weights["char_embedding"],
                weights[f"convolution_{i}/kernel"],
                weights[f"convolution_{i}/bias"],
            )
            for i in range(2)
        ]
        x = np.maximum(np.concatenate(maxima), 0)
        x = oracles.highway(
            x,
            weights["highway_0/carry/kernel"],
            weights["highway_0/carry/bias"],
            weights["highway_0/transform/kernel"],
            weights["highway_0/transform/bias"],
        )
        return x @ weights["projection/kernel"] + weights["projection/bias"]

    def _logits(self, direction, read):
        weights = self.weights
        x = np.array([self.word_emb(token) for token in read])
        for layer in range(2):
            prefix = f"lstm_{direction}_{layer}/"
            w = np.concatenate(
                [weights[prefix + "kernel"], weights[prefix + "recurrent_kernel"]]
            )
            p = weights[prefix + "projection_kernel"]
            zeros = np.zeros(p.shape[1]), np.zeros(p.shape[0])
            y, _ = oracles.lstm(x, *zeros, w, weights[prefix + "bias"], p, 0.5, 0.2)
            x = y + x if layer else y
        return x @ weights["softmax/kernel"].T + weights["softmax/bias"]


def ids(words):
    """Their numbers in the vocabulary, 2 for what is not there."""
    return np.array([WORDS.index(word) if word in WORDS else 2 for word in words])
