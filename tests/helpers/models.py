"""Models that are small enough to be made in every test."""

from golden import Golden

from keras_elmo import BiLM, ElmoEmbedding

SMALL = {"filters": [[1, 3], [3, 5]], "units": 6, "projection_dim": 4}


def small_bilm(**kwargs):
    """A `BiLM` with random weights, of `SMALL` sizes unless `kwargs` give others."""
    return BiLM(**{**SMALL, **kwargs})


def skip_bilm(**kwargs):
    """The authors' recorded model `skip`."""
    return BiLM.from_hdf5(**Golden("skip").files, **kwargs)


def skip_elmo(**kwargs):
    """The authors' recorded model `skip` as an embedding."""
    return ElmoEmbedding.from_hdf5(**Golden("skip").files, **kwargs)
