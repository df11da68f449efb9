from keras_elmo.layers.attach_mask import AttachMask
from keras_elmo.layers.bilstm import BiLSTM
from keras_elmo.layers.char_cnn import CharCNN
from keras_elmo.layers.highway import Highway
from keras_elmo.layers.projected_lstm import ProjectedLSTM
from keras_elmo.layers.scalar_mix import ScalarMix

__all__ = ["AttachMask", "BiLSTM", "CharCNN", "Highway", "ProjectedLSTM", "ScalarMix"]
