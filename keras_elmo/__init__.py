from keras_elmo.bilm import BiLM
from keras_elmo.embedding import ElmoEmbedding
from keras_elmo.layers import BiLSTM, CharCNN, Highway, ProjectedLSTM, ScalarMix
from keras_elmo.text.preprocessor import ElmoPreprocessor
from keras_elmo.version import __version__

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
