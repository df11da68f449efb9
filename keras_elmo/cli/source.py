"""Pretrained weights as users name them on a command line."""

from collections.abc import Sequence

from keras_elmo.bilm import BiLM
from keras_elmo.embedding import ElmoEmbedding

HELP = "a preset (its name or folder), or options.json and weights.hdf5"


def load(kind: type[BiLM] | type[ElmoEmbedding], source: Sequence[str], **kwargs):
    """A `BiLM` or an `ElmoEmbedding` of what `source` names.

    Args:
        kind: Which of the two classes.
        source: One string, a preset; or two, the files of `from_hdf5`.
        **kwargs: Arguments of `kind`.

    Raises:
        FileNotFoundError, ValueError: see `from_preset` and `from_hdf5`.
    """
    if len(source) == 1:
        return kind.from_preset(source[0], **kwargs)
    if len(source) == 2:
        return kind.from_hdf5(*source, **kwargs)
    raise ValueError(f"Weights should be named as {HELP}. Received: {list(source)}")
