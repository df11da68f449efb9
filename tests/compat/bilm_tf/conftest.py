import pytest
from bilm_tf_files import BilmTfFiles

from keras_elmo.compat.bilm_tf import Batcher, BidirectionalLanguageModel


@pytest.fixture
def files(golden, tmp_path):
    """Each of the authors' recorded models in turn, with a vocabulary."""
    return BilmTfFiles(golden.case, tmp_path)


@pytest.fixture
def skip_files(tmp_path):
    """One of them, where a test needs no more than one."""
    return BilmTfFiles("skip", tmp_path)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """The model, and what it returns of a batch, for tests that change neither."""
    files = BilmTfFiles("skip", tmp_path_factory.mktemp("embedded"))
    model = BidirectionalLanguageModel(*files.pair)
    batcher = Batcher(files.vocabulary, 50)
    return model, model(batcher.batch_sentences(files.golden.batches[0]))
