import gzip

import pytest
from refusal import refused, takes_little

from keras_elmo.files.word_list import MAX_UNPACKED_BYTES, read_words
from keras_elmo.pretraining import Vocabulary

CONTENT = "<S>\n</S>\n<UNK>\ncafé\n".encode() + b"\xff\n"
WORDS = ["<S>", "</S>", "<UNK>", "café", "\udcff"]


@pytest.mark.parametrize("name", ["vocab.txt", "vocab.txt.gz"])
def test_words(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(CONTENT) if name.endswith(".gz") else CONTENT)
    assert read_words(path) == WORDS
    assert read_words(str(path)) == WORDS
    assert Vocabulary.from_file(path).words == WORDS


def test_broken_files(tmp_path):
    path = tmp_path / "vocab.txt.gz"
    with pytest.raises(FileNotFoundError, match="vocab.txt.gz"):
        read_words(path)
    compressed = gzip.compress(CONTENT)
    for content in (CONTENT, compressed[:-9], compressed[:12] + compressed[14:]):
        path.write_bytes(content)
        with refused(path, "complete .gz file"):
            read_words(path)


def test_few_bytes_for_many(tmp_path):
    """A gigabyte of zeros, in a megabyte."""
    part = gzip.compress(bytes(MAX_UNPACKED_BYTES // 8), 1)
    path = tmp_path / "vocab.txt.gz"
    path.write_bytes(part * 64)
    with takes_little(3 * MAX_UNPACKED_BYTES), refused(path, "has more"):
        read_words(path)
