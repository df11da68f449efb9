import pytest
from models import small_bilm

from keras_elmo.pretraining import LanguageModel


@pytest.fixture(scope="session")
def make_language_model():
    """Makes small language models that learn fast; `sizes` are arguments of `BiLM`."""

    def make(vocabulary, batch_size, **sizes):
        bilm = small_bilm(**{"filters": [[1, 8]], "units": 8, **sizes})
        return LanguageModel(bilm, vocabulary, batch_size, num_samples=4, seed=1)

    return make
