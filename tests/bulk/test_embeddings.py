import h5py
import numpy as np
import pytest
from refusal import refused

from keras_elmo import bulk
from keras_elmo.bulk.formats import FORMATS


@pytest.fixture(params=FORMATS)
def output(request, embed, tmp_path):
    embed(tmp_path / "v", format=request.param, layers="top")
    return tmp_path / "v"


def test_it_is_a_sequence(output):
    with bulk.open(output) as embeddings:
        every = list(embeddings)
        assert len(every) == len(embeddings) == 10
        np.testing.assert_array_equal(embeddings[-1], every[9])
        np.testing.assert_array_equal(embeddings[np.int64(4)], every[4])
        for wrong in (10, -11):
            with pytest.raises(IndexError):
                embeddings[wrong]
        assert repr(embeddings).startswith("<Embeddings of 10 sentences, (None, 8)")


def test_slices_read_nothing(output, monkeypatch):
    with bulk.open(output) as embeddings:
        every = list(embeddings)
        with monkeypatch.context() as patch:
            patch.setattr(type(embeddings._lines), "vectors", None)
            part = embeddings[8:2:-2]
        assert len(part) == 3 and len(embeddings[20:]) == 0
        for found, wanted in zip(part, (every[8], every[6], every[4]), strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(part[1:][0], every[6])


def test_arrays_outlive_the_file(output):
    with bulk.open(output) as embeddings:
        first = embeddings[0]
        wanted = np.array(first)
    np.testing.assert_array_equal(first, wanted)
    with refused("v", "closed") if output.is_dir() else refused("v"):
        embeddings[1]


def test_tokens_belong_to_rows(embed, tmp_path):
    for format in ("parquet", "npy"):
        embed(tmp_path / format, format=format)
        with bulk.open(tmp_path / format) as embeddings:
            counts = [len(embeddings.tokens(line)) for line in range(10)]
            assert counts == [array.shape[1] for array in embeddings]
            assert embeddings[3:].tokens(0) == ["a", "b"]
    embed(tmp_path / "v.hdf5")
    with bulk.open(tmp_path / "v.hdf5") as embeddings, refused("parquet and npy"):
        embeddings.tokens(0)


def test_files_of_allennlp(tmp_path):
    with h5py.File(tmp_path / "theirs.hdf5", "w") as file:
        for line in range(12):
            file[str(line)] = np.full((3, line + 1, 4), line, "float32")
        file.create_dataset("sentence_to_index", (1,), h5py.string_dtype())[0] = "{}"
    with bulk.open(tmp_path / "theirs.hdf5") as embeddings:
        assert len(embeddings) == 12 and embeddings.shape == (3, None, 4)
        assert [array.shape[1] for array in embeddings] == list(range(1, 13))
        assert embeddings[11].max() == embeddings[11].min() == 11
    with h5py.File(tmp_path / "keys.hdf5", "w") as file:
        file["a sentence"] = np.zeros((3, 2, 4), "float32")
    with refused("keys.hdf5", "a dataset a line, named 0, 1, 2"):
        bulk.open(tmp_path / "keys.hdf5")


def test_hdf5_files_may_come_from_anywhere(tmp_path):
    with h5py.File(tmp_path / "v.hdf5", "w") as file:
        file["0"] = np.zeros((3, 2, 4), "float32")
        file["1"] = h5py.ExternalLink("/etc/passwd", "x")
        file.create_dataset("2", (10**9, 8, 10**3), "float32")
        file["3"] = "a text"
        file.create_group("4")
        file["5"] = np.zeros((1, 1, 1, 1), "float32")
        outside = [("/etc/passwd", 0, 8)]
        file.create_dataset("6", (2,), "float32", external=outside)
    with bulk.open(tmp_path / "v.hdf5") as embeddings:
        for line in range(1, 7):
            with refused("v.hdf5"):
                embeddings[line]


def test_what_can_not_be_opened(embed, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        bulk.open(tmp_path / "nothing")
    with refused(tmp_path, "_manifest.json"):
        bulk.open(tmp_path)
    (tmp_path / "text").write_text("text")
    with refused(tmp_path / "text", "HDF5"):
        bulk.open(tmp_path / "text")
    embed(tmp_path / "v.hdf5", shard="1/2")
    with refused("v.hdf5", "--resume"):
        bulk.open(tmp_path / "v.hdf5")


def test_many_shards_are_not_all_kept_open(embed, tmp_path):
    embed(tmp_path / "v", lines_per_shard=1)
    with bulk.open(tmp_path / "v") as embeddings:
        assert [array.shape[1] for array in embeddings] == [
            6,
            5,
            0,
            2,
            6,
            3,
            1,
            2,
            3,
            4,
        ]
        assert embeddings._lines._open.cache_info().currsize == 8
