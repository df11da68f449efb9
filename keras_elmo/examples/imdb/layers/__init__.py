"""Layers of the classifiers."""

from keras_elmo.examples.imdb.layers.attention_pooling import AttentionPooling
from keras_elmo.examples.imdb.layers.first_tokens import FirstTokens, first_tokens
from keras_elmo.examples.imdb.layers.masked_conv1d import MaskedConv1D
from keras_elmo.examples.imdb.layers.pooling import Pooling
from keras_elmo.examples.imdb.layers.token_mask import TokenMask
from keras_elmo.examples.imdb.layers.word_embedding import WordEmbedding

__all__ = [
    "AttentionPooling",
    "FirstTokens",
    "MaskedConv1D",
    "Pooling",
    "TokenMask",
    "WordEmbedding",
    "first_tokens",
]
