import h5py
import numpy as np
import pytest
from golden import assert_close
from oracles import char_ids
from refusal import refused

from keras_elmo import BiLM
from keras_elmo.compat.bilm_tf import dump_bilm_embeddings, dump_token_embeddings


def test_a_dataset_a_line(skip_files, tmp_path):
    """Each by itself; and a file that is there is replaced by a whole one alone."""
    rows = skip_files.golden.batches[0]
    lines = [*map(" ".join, rows), "", " the\tcat\u00a0sat  ", "the cat sat"]
    dataset, outfile = tmp_path / "dataset.txt", tmp_path / "embeddings.hdf5"
    dataset.write_text("\n".join(lines) + "\n", "utf-8")
    outfile.write_text("another file")
    dump_bilm_embeddings(skip_files.vocabulary, dataset, *skip_files.pair, outfile)
    with h5py.File(outfile, "r") as file:
        arrays = {name: file[name][...] for name in file}
    assert set(arrays) == {str(number) for number in range(len(lines))}
    expected = skip_files.masked("layers_0", 0)
    for number, row in enumerate(rows):
        array = arrays[str(number)]
        assert array.dtype == "float32"
        assert_close(array, expected[number][:, : len(row)])
    empty, spaced, plain = (arrays[str(len(rows) + k)] for k in range(3))
    assert empty.shape == (3, 0, expected.shape[-1])
    assert plain.shape[1] == 3
    assert_close(spaced, plain)
    before = outfile.read_bytes()
    broken = tmp_path / "broken.txt.gz"
    broken.write_bytes(b"no gzip")
    with refused("broken.txt.gz"):
        dump_bilm_embeddings(skip_files.vocabulary, broken, *skip_files.pair, outfile)
    assert outfile.read_bytes() == before
    assert not list(tmp_path.glob(".embeddings*"))


def test_vectors_of_words(skip_files):
    path = skip_files.folder / "tokens.hdf5"
    words = ["café", "</S>", "cat", "<S>", "cat"]
    vocabulary = skip_files.words(*words, name="words.txt")
    dump_token_embeddings(vocabulary, *skip_files.pair, path)
    with h5py.File(path, "r") as file:
        assert list(file) == ["embedding"]
        vectors = file["embedding"][...]
    assert vectors.dtype == "float32"
    ids = np.array([char_ids(word.encode()) for word in words])
    assert_close(vectors, BiLM.from_hdf5(*skip_files.pair).char_cnn(ids))


@pytest.mark.parametrize("missing", ["vocab_file", "dataset_file"])
def test_files_that_are_not_there(skip_files, missing):
    paths = {
        "vocab_file": skip_files.vocabulary,
        "dataset_file": skip_files.vocabulary,
        missing: skip_files.folder / "none",
    }
    with pytest.raises(FileNotFoundError, match=f"`{missing}`"):
        dump_bilm_embeddings(
            *paths.values(), *skip_files.pair, skip_files.folder / "out"
        )
    assert not (skip_files.folder / "out").exists()
