from keras_elmo.layers.apply_mask import ApplyMask
from keras_elmo.layers.bilstm import BiLSTM
from keras_elmo.layers.char_cnn import CharCNN
from keras_elmo.layers.highway import Highway
from keras_elmo.layers.projected_lstm import ProjectedLSTM
from keras_elmo.layers.scalar_mix import ScalarMix

__all__ = ["ApplyMask", "BiLSTM", "CharCNN", "Highway", "ProjectedLSTM", "ScalarMix"]
