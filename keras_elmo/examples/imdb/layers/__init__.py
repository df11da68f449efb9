"""Layers of the classifiers."""

from keras_elmo.examples.imdb.layers.attention_pooling import AttentionPooling
from keras_elmo.examples.imdb.layers.first_tokens import FirstTokens, first_tokens
from keras_elmo.examples.imdb.layers.last_max_mean_pooling import LastMaxMeanPooling
from keras_elmo.examples.imdb.layers.masked_conv1d import MaskedConv1D

__all__ = [
    "AttentionPooling",
    "FirstTokens",
    "LastMaxMeanPooling",
    "MaskedConv1D",
    "first_tokens",
]
