"""ELMo, deep contextualized word representations, as Keras layers.

    import keras_elmo

    elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
    outputs = elmo(["the cat sat"])["elmo"]

Import this package before `keras.models.load_model` reads a model with ELMo inside:
the import tells Keras of the layers' classes.
"""

import contextlib

from keras_elmo.startup import quiet_import, runs_command, runs_example
from keras_elmo.version import __version__

if not runs_command():
    with quiet_import() if runs_example() else contextlib.nullcontext():
        from keras_elmo.bilm import BiLM
        from keras_elmo.embedding import ElmoEmbedding
        from keras_elmo.layers import (
            BiLSTM,
            CharCNN,
            Highway,
            ProjectedLSTM,
            ScalarMix,
        )
        from keras_elmo.text.preprocessor import ElmoPreprocessor

__all__ = [
    "BiLM",
    "BiLSTM",
    "CharCNN",
    "ElmoEmbedding",
    "ElmoPreprocessor",
    "Highway",
    "ProjectedLSTM",
    "ScalarMix",
    "__version__",
]
