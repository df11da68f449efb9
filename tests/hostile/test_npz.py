"""Weights of presets (`.npz`) that should harm somebody."""

import io
import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusal import (
    BYTE,
    PROPERTY,
    Trap,
    is_harmless,
    mutated,
    refused,
    takes_little,
)

from keras_elmo.weights.containers import npz

ARRAYS = {
    "kernel": np.random.default_rng(0).normal(size=(30, 20)).astype("float32"),
    "lstm_0_0/bias": np.arange(50, dtype="float16"),
    "rounded": np.linspace(-3, 3, 64).astype(ml_dtypes.bfloat16).reshape(8, 8),
    "doubles": np.arange(12.0).reshape(3, 4),
}


def archive(path, *members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def tensor(shape="(2, 3)", dtype="'<f4'", data=bytes(24), version=b"\1\0"):
    """A `.npy` file with any header."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}\n"
    length = len(header).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + length + header.encode() + data


def read(path):
    return {name: array[...] for name, array in npz.read_arrays(path).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def good(path):
    npz.write_arrays(path, ARRAYS)
    return path


def test_arrays_come_back(good):
    for name, array in npz.read_arrays(good).items():
        expected = ARRAYS[name]
        assert array.shape == expected.shape
        if name == "rounded":
            expected = expected.astype("float32")
        assert array[...].dtype == expected.dtype
        np.testing.assert_array_equal(array[...], expected)
        np.testing.assert_array_equal(array[1:3], expected[1:3])


def test_the_same_arrays_make_the_same_file(good, tmp_path):
    npz.write_arrays(tmp_path / "again.npz", ARRAYS)
    assert good.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_no_file(path):
    with pytest.raises(FileNotFoundError, match=r"`weights`.*model\.npz.*no file"):
        npz.read_arrays(path)


def test_truncated_anywhere(good):
    content = good.read_bytes()
    for size in range(0, len(content), 97):
        good.write_bytes(content[:size])
        with refused(good, "complete .npz file", "fetch it again"):
            read(good)


MEMBERS = {
    "no .npy": ("kernel.txt", tensor(), "no name of a tensor"),
    "no tensor": ("kernel.npy", b"text", "could not be read"),
    "pickle": ("kernel.npy", pickle.dumps([1, 2]), "could not be read"),
    "objects": ("kernel.npy", tensor(dtype="'|O'"), "dtype object"),
    "integers": ("kernel.npy", tensor(dtype="'<i4'"), "dtype int32"),
    "complex": ("kernel.npy", tensor(dtype="'<c8'"), "dtype complex64"),
    "records": ("kernel.npy", tensor(dtype="[('a', '<f4')]"), "dtype [('a'"),
    "unnamed bit patterns": ("kernel.npy", tensor(dtype="'<u2'"), "dtype uint16"),
    "other bit patterns": ("k.bfloat16.npy", tensor(dtype="'<u4'"), "dtype uint32"),
    "code": ("kernel.npy", tensor(shape="print(3)"), "could not be read"),
    "no end": ("kernel.npy", tensor(shape="(2, (3"), "could not be read"),
    "negative": ("kernel.npy", tensor(shape="(-2, -3)"), "the shape (-2, -3)"),
    "300 axes": ("kernel.npy", tensor(shape="(1,) * 300"), "could not be read"),
    "9 axes": ("kernel.npy", tensor(shape=f"{(1,) * 9}"), "the shape (1, 1"),
    "absurd": ("kernel.npy", tensor(shape="(10**9, 3)"), "could not be read"),
    "huge": ("kernel.npy", tensor(shape="(1000000000, 3)"), "compressed bytes"),
    "no data": ("kernel.npy", tensor(data=b""), "compressed bytes"),
    "more data": ("kernel.npy", tensor(data=bytes(99)), "compressed bytes"),
    "version 2": ("kernel.npy", tensor(version=b"\2\0"), "version 1.0"),
}


@pytest.mark.parametrize(("name", "content", "message"), MEMBERS.values(), ids=MEMBERS)
def test_what_is_no_tensor(path, name, content, message):
    with refused(path, message, "fetch it again"):
        npz.read_arrays(archive(path, (name, content)))


def test_pickles_are_never_read(path, tmp_path):
    np.savez(path, kernel=np.array([Trap(tmp_path / "sprung")]))
    with refused(path, "dtype object"):
        read(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["a.npy", "a.bfloat16.npy"])
def test_names_that_are_there_twice(path, other):
    second = tensor(dtype="'<u2'", data=bytes(12)) if "bf" in other else tensor()
    with refused(path, "'a' is there twice"):
        npz.read_arrays(archive(path, ("a.npy", tensor()), (other, second)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(path, method):
    archive(path, ("kernel.npy", tensor()), method=method)
    with refused(path, "other means than deflate"):
        npz.read_arrays(path)


def test_changed_sizes_take_no_memory(path):
    """The directory and the header may both promise 4 GB for a few bytes."""
    content = tensor(shape="(1000000000,)", data=bytes(4))
    archive(path, ("kernel.npy", content))
    sizes = len(content), len(content) - 4 + 4 * 10**9
    old, new = (size.to_bytes(4, "little") for size in sizes)
    path.write_bytes(path.read_bytes().replace(old, new))
    with takes_little(), refused(path, "4,000,000,0", "compressed bytes are there"):
        read(path)


def compressed():
    content = io.BytesIO()
    np.savez_compressed(content, kernel=ARRAYS["kernel"])
    return content.getvalue()


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 10**4), BYTE), min_size=1, max_size=4))
def test_changed_bytes(tmp_path, changes):
    path = tmp_path / "model.npz"
    path.write_bytes(mutated(compressed(), changes))
    is_harmless(lambda: read(path))
