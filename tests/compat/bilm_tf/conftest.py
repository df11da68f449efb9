import pytest
from bilm_tf_files import BilmTfFiles

from keras_elmo.compat.bilm_tf import Batcher, BidirectionalLanguageModel


@pytest.fixture
def skip_files(tmp_path):
    """The recorded model `skip`, with a vocabulary."""
    return BilmTfFiles("skip", tmp_path)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """The model, and what it returns of a batch, for tests that change neither."""
    files = BilmTfFiles("skip", tmp_path_factory.mktemp("embedded"))
    model = BidirectionalLanguageModel(*files.pair)
    batcher = Batcher(files.vocabulary, 50)
    return model, model(batcher.batch_sentences(files.golden.batches[0]))


@pytest.fixture
def fresh(embedded):
    """The same, of which no mix has been made yet."""
    model, outputs = embedded
    model.mixes.clear()
    return model, outputs
