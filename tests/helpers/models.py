"""Models that are small enough to be made in every test."""

import keras
import numpy as np
from golden import Golden

from keras_elmo import BiLM, ElmoEmbedding

TEXT = np.array(["the cat is on the mat", "dogs", "", "a  b"], dtype=object)
LABELS = np.array([0.0, 1.0, 0.0, 1.0])

SMALL = {"filters": [[1, 3], [3, 5]], "units": 6, "projection_dim": 4}
# An argument that gets lost on the way shows here.
UNUSUAL = {
    "filters": [[1, 4], [2, 4]],
    "units": 6,
    "projection_dim": 3,
    "num_layers": 1,
    "embedding_dim": 2,
    "num_highway_layers": 1,
    "activation": "tanh",
    "cell_clip": None,
    "projection_clip": 0.5,
    "use_skip_connections": False,
    "max_characters": 20,
    "sentence_boundaries": True,
}


def small_bilm(**kwargs):
    """A `BiLM` with random weights, of `SMALL` sizes unless `kwargs` give others."""
    return BiLM(**{**SMALL, **kwargs})


def unusual_bilm(**kwargs):
    """A `BiLM` with random weights, none of whose arguments is as by default."""
    return BiLM(**{**UNUSUAL, **kwargs})


def skip_bilm(**kwargs):
    """The authors' recorded model `skip`."""
    return BiLM.from_hdf5(**Golden("skip").files, **kwargs)


def skip_elmo(**kwargs):
    """The authors' recorded model `skip` as an embedding."""
    return ElmoEmbedding.from_hdf5(**Golden("skip").files, **kwargs)


def small_elmo(**kwargs):
    """An embedding of one layer with random weights, where the numbers do not matter.

    Its graph takes half the time of that of `skip_elmo`.
    """
    bilm = small_bilm(num_layers=1, num_highway_layers=1, sentence_boundaries=True)
    return ElmoEmbedding(bilm, **kwargs)


def classifier(**kwargs):
    """A functional model of the mean over tokens of `small_elmo`."""
    elmo = small_elmo(output_key="default", **kwargs)
    return _compiled(elmo, keras.layers.Dense(1))


def sequence_classifier():
    """The same of its sequences, with a layer that needs the mask.

    A test takes twice as long with this as with `classifier`.
    """
    elmo = small_elmo(output_key="elmo")
    return _compiled(elmo, keras.layers.LSTM(3), keras.layers.Dense(1))


def _compiled(*layers):
    x = text = keras.Input((), dtype="string")
    for layer in layers:
        x = layer(x)
    model = keras.Model(text, x)
    model.compile("sgd", "mse")
    return model
