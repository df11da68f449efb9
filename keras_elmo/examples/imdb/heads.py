"""What is between the embeddings of a review and the probability of `pos`."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_elmo.examples.imdb.layers import (
    AttentionPooling,
    MaskedConv1D,
    Pooling,
)

_RATE = 0.5


def apply_head(layers: Sequence[keras.Layer], sequence: Any) -> Any:
    """The output of the last layer, of a symbolic sequence that carries its mask."""
    for layer in layers:
        sequence = layer(sequence)
    return sequence


def make_head(name: str, seed: int, dropout: float = 0.0) -> list[keras.Layer]:
    """The layers of a head, one after the other.

    Args:
        name: One of `HEADS`.
        seed: Seed of its weights and of its dropout.
        dropout: Rate at which it leaves out dimensions of what it reads, those of all
            tokens of a review together. Defaults to 0.

    Returns:
        Layers from a masked sequence `(batch, time, dim)` to `(batch, 1)`.
    """
    keras.utils.set_random_seed(seed)
    return [
        *HEADS[name](dropout),
        keras.layers.Dropout(_RATE),
        keras.layers.Dense(1, activation="sigmoid", name="positive"),
    ]


def _mean(dropout: float) -> list[keras.Layer]:
    """The tutorials' head: the mean over tokens, and a hidden layer."""
    return [
        Pooling(["mean"]),
        # Means over many tokens differ little from review to review.
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(256, activation="relu"),
    ]


def _attention(dropout: float) -> list[keras.Layer]:
    return [
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.SpatialDropout1D(dropout),
        AttentionPooling(),
    ]


def _convolution(dropout: float) -> list[keras.Layer]:
    """Three tokens at a time, as in Kim 2014 (arXiv:1408.5882)."""
    return [
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.SpatialDropout1D(dropout),
        # What a word says of sentiment is no linear function of its embedding.
        keras.layers.Dense(256, activation="relu"),
        MaskedConv1D(256, 3, padding="same", activation="relu"),
        Pooling(["max", "mean"]),
    ]


def _bilstm(dropout: float) -> list[keras.Layer]:
    """As in Howard and Ruder 2018 (arXiv:1801.06146), a concatenation of poolings."""
    lstm = keras.layers.LSTM(64, return_sequences=True)
    return [
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.SpatialDropout1D(dropout),
        keras.layers.Bidirectional(lstm),
        Pooling(),
    ]


HEADS = {
    "mean": _mean,
    "attention": _attention,
    "convolution": _convolution,
    "bilstm": _bilstm,
}
