import uuid

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


@pytest.fixture(scope="session")
def s3():
    """A server that speaks S3: the environment that leads to it."""
    server_module = pytest.importorskip("moto.server", reason="moto is not installed")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.stop()


@pytest.fixture
def bucket(s3, monkeypatch):
    """The address of a new bucket of that server."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    for key, value in s3.items():
        monkeypatch.setenv(key, value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = uuid.uuid4().hex
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"
