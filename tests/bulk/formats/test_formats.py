"""What the formats have in common: what is written is read."""

import contextlib
import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusal import BYTE, PROPERTY, mutated

from keras_elmo.bulk.formats import (
    FORMATS,
    Contents,
    Layout,
    Sentence,
    hdf5,
    hdf5_writer,
    parquet,
    scaled_int16,
)
from keras_elmo.bulk.formats.hdf5 import Hdf5File
from keras_elmo.text.sentences import as_text

SHARDS = ["npy", "parquet"]
KINDS = [(name, dtype) for name in SHARDS for dtype in FORMATS[name].dtypes]
TOKENS = st.lists(
    st.binary(min_size=1, max_size=4).filter(lambda t: not set(t) & set(b" \n"))
)
SENTENCES = st.lists(TOKENS.map(lambda tokens: tokens[:5]), max_size=8)
SHAPES = st.sampled_from([((3, 4), "abc"), ((2, 2), "ab"), ((4,), "a"), ((1,), "a")])
COUNT = settings(PROPERTY, max_examples=40)


def make(sentences, row_shape, columns, dtype, seed=0):
    """A layout and the vectors of each sentence."""
    rng = np.random.default_rng(seed)
    counts = [1 if columns == ("default",) else len(tokens) for tokens in sentences]
    layout = Layout(7, len(sentences), sum(counts), row_shape, columns, dtype)
    vectors = [
        rng.normal(size=(n, *row_shape)).astype(layout.array_dtype) for n in counts
    ]
    return layout, vectors


def in_blocks(sentences, vectors):
    for tokens, array in zip(sentences, vectors, strict=True):
        cut = len(array) // 2
        blocks = [array[:cut], array[cut:]] if cut else [array]
        yield Sentence(tokens, iter(blocks))


def write(name, path, sentences, layout, vectors):
    FORMATS[name].write(path, layout, in_blocks(sentences, vectors))
    assert all(file.is_file() for file in FORMATS[name].files(path))


@pytest.mark.parametrize(("name", "dtype"), KINDS)
@COUNT
@given(sentences=SENTENCES, shape=SHAPES)
def test_what_is_written_is_read(name, dtype, sentences, shape, tmp_path_factory):
    path = tmp_path_factory.mktemp("shard") / "part"
    layout, vectors = make(sentences, shape[0], tuple(shape[1]), dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_BYTES_PER_GROUP", 50)
        write(name, path, sentences, layout, vectors)
    shard = FORMATS[name].open(path, layout)
    for index, (tokens, expected) in enumerate(zip(sentences, vectors, strict=True)):
        found = shard.vectors(index)
        if dtype == "int16":
            expected = scaled_int16.from_stored(scaled_int16.to_stored(expected))
        assert found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)
        assert shard.tokens(index) == [as_text(token) for token in tokens]


@pytest.mark.parametrize("name", SHARDS)
def test_one_vector_a_sentence(name, tmp_path):
    sentences = [[b"a", b"b"], [], [b"c"]]
    layout, vectors = make(sentences, (4,), ("default",), "float32")
    write(name, tmp_path / "part", sentences, layout, vectors)
    shard = FORMATS[name].open(tmp_path / "part", layout)
    for index, expected in enumerate(vectors):
        np.testing.assert_array_equal(shard.vectors(index), expected)
    assert [len(shard.tokens(index)) for index in range(3)] == [2, 0, 1]


@pytest.mark.parametrize("name", SHARDS)
def test_the_same_is_written_twice(name, tmp_path):
    sentences = [[b"a"] * (n % 7) for n in range(100)]
    layout, vectors = make(sentences, (2, 16), ("a", "b"), "float16")
    for path in (tmp_path / "one", tmp_path / "two"):
        write(name, path, sentences, layout, vectors)
    one, two = (
        [file.read_bytes() for file in FORMATS[name].files(path)]
        for path in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


@pytest.mark.parametrize(("name", "dtype"), KINDS)
@settings(PROPERTY, max_examples=150)
@given(
    which=st.integers(0, 2),
    changes=st.lists(st.tuples(st.integers(0, 10**6), BYTE), min_size=1, max_size=4),
    cut=st.none() | st.integers(0, 10**4),
)
def test_damaged_shards_are_refused_or_read(
    name, dtype, which, changes, cut, tmp_path_factory
):
    """Never is there another error, or an array of another kind."""
    path = tmp_path_factory.mktemp("shard") / "part"
    sentences = [[b"one", b"two"], [], [b"three"]]
    layout, vectors = make(sentences, (2, 4), ("a", "b"), dtype)
    write(name, path, sentences, layout, vectors)
    files = FORMATS[name].files(path)
    file = files[which % len(files)]
    file.write_bytes(mutated(file.read_bytes(), changes)[:cut])
    with contextlib.suppress(ValueError):
        shard = FORMATS[name].open(path, layout)
        for index in range(3):
            found = shard.vectors(index)
            assert found.dtype == layout.array_dtype and found.shape[1:] == (2, 4)
            shard.tokens(index)


@pytest.mark.parametrize("name", SHARDS)
def test_another_shard_is_refused(name, tmp_path):
    sentences = [[b"one", b"two"], [b"three"]]
    layout, vectors = make(sentences, (2, 4), ("a", "b"), "float32")
    write(name, tmp_path / "part", sentences, layout, vectors)
    for other in (
        {"lines": 3},
        {"row_shape": (2, 5)},
        {"dtype": "float16"},
        {"dtype": "int16"} if name == "npy" else {"columns": ("a", "c")},
    ):
        expected = Layout(**{**vars(layout), **other})
        with pytest.raises(ValueError, match="part.*should be as"):
            FORMATS[name].open(tmp_path / "part", expected)
    with pytest.raises(FileNotFoundError, match="no_part"):
        FORMATS[name].open(tmp_path / "no_part", layout)


def test_a_damaged_number_in_parquet_is_noticed(tmp_path):
    layout, vectors = make([[b"one"] * 50], (4,), ("top",), "float32")
    write("parquet", tmp_path / "part", [[b"one"] * 50], layout, vectors)
    content = bytearray((tmp_path / "part").read_bytes())
    content[content.index(vectors[0].tobytes()[:20])] ^= 1
    (tmp_path / "part").write_bytes(content)
    with pytest.raises(ValueError, match="part.*should be as.*--check"):
        FORMATS["parquet"].open(tmp_path / "part", layout).vectors(0)


def test_others_read_parquet(tmp_path):
    import pyarrow.parquet as pq

    sentences = [[b"caf\xc3\xa9", b"\xff"], [], [b"three"]]
    layout, vectors = make(sentences, (2, 4), ("word_emb", "lstm_outputs1"), "float32")
    write("parquet", tmp_path / "part", sentences, layout, vectors)
    rows = pq.read_table(tmp_path / "part").to_pylist()
    assert [row["line"] for row in rows] == [7, 8, 9]
    assert [row["tokens"] for row in rows] == [["café", "\\xff"], [], ["three"]]
    for row, expected in zip(rows, vectors, strict=True):
        np.testing.assert_array_equal(
            np.reshape(row["word_emb"], (-1, 4)), expected[:, 0]
        )
        np.testing.assert_array_equal(
            np.reshape(row["lstm_outputs1"], (-1, 4)), expected[:, 1]
        )


@COUNT
@given(
    sentences=st.lists(SENTENCES, max_size=3),
    shape=SHAPES,
    dtype=st.sampled_from(["float32", "float16"]),
    at_once=st.sampled_from([1, 20, 10**6]),
)
def test_hdf5_is_assembled(sentences, shape, dtype, at_once, tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "vectors.hdf5"
    shards = [
        make(shard, shape[0], tuple(shape[1]), dtype, seed)[1]
        for seed, shard in enumerate(sentences)
    ]
    lines = [[b" ".join(tokens) for tokens in shard] for shard in sentences]
    contents = [
        Contents(array.__getitem__, text)
        for array, text in zip(shards, lines, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_writer, "_BYTES_AT_ONCE", at_once)
        hashes = hdf5.assemble(path, contents)
    every = [array for shard in shards for array in shard]
    file = Hdf5File(path)
    assert len(file) == len(every)
    first = 0
    for shard, expected in zip(shards, hashes, strict=True):
        assert file.content_hash(first, len(shard)) == expected
        first += len(shard)
    for line, array in enumerate(every):
        found = file.vectors(line)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, array)
    file.close()
    with h5py.File(path) as plain:
        index = json.loads(plain["sentence_to_index"][0])
    texts = [as_text(line).strip() for shard in lines for line in shard]
    assert index == {text: str(line) for line, text in enumerate(texts)}
    content = path.read_bytes()
    hdf5.assemble(path, contents)
    assert path.read_bytes() == content
