"""bilm-tf's package `bilm`, for code that was written for it.

    from keras_elmo.compat.bilm_tf import Batcher, BidirectionalLanguageModel

Placeholders, sessions and `tf.variable_scope` go: a `BidirectionalLanguageModel` is
called on the integers of a `Batcher`, or on a `keras.Input` that stands for them, and
`weight_layers` gives one name one set of weights. Every batch starts from zeros, where
bilm-tf carries a state from batch to batch; `stateful=True` carries it.

Reference: github.com/allenai/bilm-tf (`bilm/__init__.py`).

Example:

>>> import pathlib, tempfile
>>> import numpy as np
>>> import keras_elmo
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> files = folder / "options.json", folder / "weights.hdf5"
>>> bilm = keras_elmo.BiLM(filters=[[1, 8]], units=8, projection_dim=4)
>>> bilm.to_hdf5(*files)
>>> _ = (folder / "vocab.txt").write_text("<S>\\n</S>\\n<UNK>\\n")
>>> batcher = Batcher(folder / "vocab.txt", 50)
>>> ids = batcher.batch_sentences([["the", "cat", "sat"], ["dogs"]])
>>> embeddings = BidirectionalLanguageModel(*files)(ids)
>>> embeddings["lm_embeddings"].shape
TensorShape([2, 3, 3, 8])
>>> weight_layers("input", embeddings, l2_coef=0.001)["weighted_op"].shape
TensorShape([2, 3, 8])
"""

from keras_elmo.compat.bilm_tf.batcher import Batcher
from keras_elmo.compat.bilm_tf.bidirectional_language_model import (
    BidirectionalLanguageModel,
)
from keras_elmo.compat.bilm_tf.dump import dump_bilm_embeddings, dump_token_embeddings
from keras_elmo.compat.bilm_tf.token_batcher import TokenBatcher
from keras_elmo.compat.bilm_tf.weight_layers import weight_layers

__all__ = [
    "Batcher",
    "BidirectionalLanguageModel",
    "TokenBatcher",
    "dump_bilm_embeddings",
    "dump_token_embeddings",
    "weight_layers",
]
