import keras
import pytest
from golden import assert_close
from models import small_bilm

from keras_elmo import ElmoEmbedding, bulk

TEXT = """the cat is on the mat
dogs are in the fog

a  b
the cat is on the mat
caf\u00e9 \u732b \U0001f600
one
two words
three words here
the end of it
"""


@pytest.fixture(scope="session")
def elmo():
    """A small embedding with random weights, made once: no test changes them."""
    keras.utils.set_random_seed(0)
    elmo = ElmoEmbedding(small_bilm())
    before = elmo.get_weights()
    yield elmo
    assert_close(elmo.get_weights(), before, atol=0)


@pytest.fixture
def text(tmp_path):
    """A file of ten lines, of which the third is empty."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def embed(elmo, text):
    """`embed_corpus` of `text` in shards of three lines, unless told otherwise."""

    def embed(output, inputs=text, elmo=elmo, **kwargs):
        options = {"lines_per_shard": 3, "report": lambda line: None, **kwargs}
        return bulk.embed_corpus(elmo, inputs, output, **options)

    return embed
