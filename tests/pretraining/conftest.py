import pytest


@pytest.fixture(scope="session")
def make_language_model():
    """Makes small language models that learn fast; `sizes` are arguments of `BiLM`.

    They have one layer, since the graph of a step of two takes twice as long to make.
    """
    # They are imported here for the reason that `tests/conftest.py` gives.
    from models import small_bilm

    from keras_elmo.pretraining import LanguageModel

    defaults = {"filters": [[1, 8]], "units": 8, "num_layers": 1}

    def make(vocabulary, batch_size, **sizes):
        bilm = small_bilm(**{**defaults, **sizes})
        return LanguageModel(bilm, vocabulary, batch_size, num_samples=4, seed=1)

    return make
