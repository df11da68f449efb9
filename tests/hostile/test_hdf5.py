"""`weights.hdf5` that should harm somebody."""

import itertools
import json
import pickle
import shutil
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
from golden import Golden
from hypothesis import given, settings
from hypothesis import strategies as st
from refusal import (
    BYTE,
    NOT_FINITE,
    PROPERTY,
    Trap,
    check_not_finite,
    is_harmless,
    mutated,
    read_all,
    refused,
    takes_little,
)

from keras_elmo import BiLM
from keras_elmo.weights.containers import hdf5
from keras_elmo.weights.formats import allennlp
from keras_elmo.weights.open_weights import open_weights

GOOD = Golden("skip").weights.read_bytes()
OPTIONS = Golden("skip").options
NAME, SHAPE = "CNN/W_cnn_0", (1, 1, 5, 3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.hdf5"


@pytest.fixture
def good(path):
    """A good file, to do harm to."""
    path.write_bytes(GOOD)
    return path


def read(path):
    return read_all(allennlp.open_pair(OPTIONS, path))


def replace(path, make):
    """Has `make(file)` put something in the place of a tensor."""
    with h5py.File(path, "r+") as file:
        del file[NAME]
        make(file)


def tensor(*args, **options):
    return lambda file: file.create_dataset(NAME, *args, **options)


WRONG_CONTENTS = {
    "magic alone": b"\x89HDF\r\n\x1a\n",
    "garbage": b"\x89HDF\r\n\x1a\x0a" + b"\xff" * 5000,
    "wrong magic": b"\x88" + GOOD[1:],
    "zip": b"PK\x03\x04" + GOOD[4:],
    "pickle": pickle.dumps({NAME: np.zeros(3)}),
    "zeros": b"\0" * 10_000,
    **{f"cut at {size}": GOOD[:size] for size in range(0, len(GOOD), 1024)},
}


@pytest.mark.parametrize("content", WRONG_CONTENTS.values(), ids=WRONG_CONTENTS)
def test_content_that_is_no_whole_file(path, content):
    path.write_bytes(content)
    with refused(path, "complete HDF5 file", "fetch it again"):
        read(path)


def test_pickles_are_never_read(tmp_path):
    trap = Trap(tmp_path / "sprung")
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps(trap))
    np.savez(tmp_path / "weights.npz", **{NAME: np.array([trap])})
    np.save(tmp_path / "weights.npy", np.array([trap]))
    for name in ("weights.pkl", "weights.npz", "weights.npy"):
        with refused(tmp_path / name, "complete HDF5 file"):
            read(tmp_path / name)
        with refused(tmp_path / name, "which is none of these"):
            open_weights(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def put_pickle(file):
    content = pickle.dumps(Trap(Path(file.filename).with_name("sprung")))
    file.create_dataset(NAME, data=np.array(np.void(content)))


def put_type(dtype, shape):
    space = h5py.h5s.create_simple(shape)
    return lambda file: h5py.h5d.create(file["CNN"].id, b"W_cnn_0", dtype, space)


def put_name_that_is_no_text(file):
    space = h5py.h5s.create_simple((1,))
    h5py.h5d.create(file.id, b"\xff\xfe", h5py.h5t.IEEE_F32LE, space)


def put_link(link):
    def put(file):
        file[NAME] = link

    return put


def put_virtual_tensor(file):
    layout = h5py.VirtualLayout(SHAPE, "f4")
    other = Path(file.filename).with_name("other.hdf5")
    layout[...] = h5py.VirtualSource(str(other), NAME, SHAPE)
    file.create_virtual_dataset(NAME, layout)


def put_parts(rows):
    def put(file):
        file.create_dataset(NAME, (7, 3), "f4", chunks=(4, 2))[:rows] = 1

    return put


ABSURD = [(10**9, 10**6), (10**4, 10**6)]
DTYPES = [h5py.vlen_dtype("f4"), h5py.string_dtype(), h5py.ref_dtype, "S4", "int32"]
DTYPES += [[("a", "f4")], bool, "c8", np.longdouble]
FILTERS = [{"compression": "gzip"}, {"compression": "lzf"}, {"fletcher32": True}]
FILTERS += [{"scaleoffset": 3}, {"shuffle": True}]
FILTERS += [{"compression": "gzip", "shuffle": True}]
LINKS = [h5py.SoftLink("/CNN/W_cnn_1"), h5py.SoftLink("/nowhere")]
LINKS += [h5py.ExternalLink("other.hdf5", NAME)]
ARRAY = h5py.h5t.array_create(h5py.h5t.IEEE_F32LE, (2**31 - 1,))


def attacks():
    """A name, what takes the place of a tensor, and what the error says."""
    again = "fetch it again"
    for dtype, shape in itertools.product(DTYPES, [SHAPE, (3,)]):
        yield f"{dtype} {shape}", tensor(shape, dtype), NAME, "is of dtype", again
    yield "pickle", put_pickle, NAME, "dtype |V", again
    yield "nothing", tensor(data=h5py.Empty("f4")), NAME, "is of dtype", again
    yield "time", put_type(h5py.h5t.UNIX_D32LE, (3,)), again
    yield "array", put_type(ARRAY, (0,)), again
    yield "no text", put_name_that_is_no_text, "no name of a tensor", again
    # A weight file opens no other file, and holds every tensor itself.
    for link in LINKS:
        said = f"missing: {NAME} {SHAPE}", "nothing was loaded"
        yield f"{link}", put_link(link), *said
    yield "virtual", put_virtual_tensor, NAME, "refers to another file", again
    for shape, chunks in itertools.product(ABSURD, [None, (1000, 1000)]):
        said = NAME, shape, "0 bytes are there", again
        yield f"{shape} in {chunks}", tensor(shape, "f4", chunks=chunks), *said
    for rows in (0, 1):
        said = NAME, "(7, 3)", "bytes are there", again
        yield f"{rows} rows", put_parts(rows), *said
    said = f"{NAME} should be {SHAPE}, is (0, 1000000000, 1000000000)"
    yield "absurdly empty", tensor((0, 10**9, 10**9), "f4"), said
    # The library itself reads, or takes, memory without end where a compressed part
    # has another size than it should.
    for filters, shape in itertools.product(FILTERS, [SHAPE, ABSURD[1]]):
        said = NAME, "compressed", "`h5repack -f NONE in.hdf5 out.hdf5`"
        yield f"{filters} {shape}", tensor(shape, "f4", **filters), *said


@pytest.mark.parametrize(
    ("make", "said"), [pytest.param(make, said, id=n) for n, make, *said in attacks()]
)
def test_what_is_no_tensor_of_the_file(good, make, said):
    shutil.copy(good, good.with_name("other.hdf5"))
    replace(good, make)
    with takes_little(), refused(good, *said):
        read(good)
    assert not good.with_name("sprung").exists()


@pytest.mark.parametrize("other", ["CNN/A", "CNN/Z"])
def test_hard_links(good, other):
    """The library comes by every tensor once, by the first of its names."""
    with h5py.File(good, "r+") as file:
        file[other] = file[NAME]
    if other > NAME:
        assert NAME in read(good)
        return
    with refused(good, f"missing: {NAME} {SHAPE}", f"unexpected: {other} (1,"):
        read(good)


def test_cycles(good):
    with h5py.File(good, "r+") as file:
        file["CNN/up"] = file["/"]
        file["RNN_0/itself"] = file["RNN_0"]
    assert len(read(good)) == len(hdf5.read_arrays(Golden("skip").weights))


def test_deep_groups(path):
    with h5py.File(path, "w") as file:
        group = file.id
        for _ in range(3000):
            group = h5py.h5g.create(group, b"g")
    with takes_little(), refused(path, "no name of a tensor"):
        read(path)


def test_absurd_shapes_that_the_options_confirm(good, tmp_path):
    """Two millions of units would take 32 TB."""
    content = json.loads(OPTIONS.read_text())
    content["lstm"] |= {"dim": 10**6, "projection_dim": 10**6, "n_layers": 1}
    (tmp_path / "options.json").write_text(json.dumps(content))
    with h5py.File(good, "r+") as file:
        for direction in range(2):
            group = f"RNN_{direction}/RNN/MultiRNNCell"
            del file[group]
            kernel = f"{group}/Cell0/LSTMCell/W_0"
            file.create_dataset(kernel, (2 * 10**6, 4 * 10**6), "f4", chunks=True)
    said = "W_0", "(2000000, 4000000)", "0 bytes are there"
    with takes_little(), refused(good, *said):
        BiLM.from_hdf5(tmp_path / "options.json", good)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        # With an axis less, the library would find the part at the file's beginning.
        (-9, 2, ("parts of 1 axes", "Write it anew")),
        *(
            (place, value, ("complete HDF5 file", "fetch it again"))
            for place, value in ((-9, 4), (-9, 0), (0, 0), (4, 0), (0, 255), (8, 8))
        ),
    ],
)
def test_parts_of_another_shape(good, place, value, said):
    """The layout's number of axes and its sizes disagree with the tensor's."""
    replace(good, tensor(data=np.zeros((8, 4), "f4"), chunks=(8, 4)))
    content = good.read_bytes()
    start = content.index(struct.pack("<3I", 8, 4, 4))
    good.write_bytes(mutated(content, [(start + place, value)]))
    with refused(good, *said):
        hdf5.read_arrays(good)


@pytest.mark.parametrize("chunks", [None, True], ids=str)
def test_good_files_in_parts(good, chunks):
    """Also of several parts, of which the last are not full."""
    expected = {name: array[...] for name, array in hdf5.read_arrays(good).items()}
    expected["doubles"] = np.random.default_rng(0).normal(size=(700, 333))
    expected["big-endian"] = np.arange(60, dtype=">f4").reshape(3, 20)
    expected["halves"] = np.arange(1000, dtype="float16")
    with h5py.File(good, "w") as file:
        for name, array in expected.items():
            file.create_dataset(name, data=array, chunks=chunks)
    for name, array in hdf5.read_arrays(good).items():
        np.testing.assert_array_equal(array[...], expected[name])
        np.testing.assert_array_equal(array[1:3], expected[name][1:3])
        assert array[...].dtype == expected[name].dtype


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_is_not_finite(good, value):
    array = np.zeros(SHAPE)
    array[0, 0, 2, 1] = value
    replace(good, tensor(data=array))
    check_not_finite(allennlp.open_pair(OPTIONS, good), good, NAME, value)


def test_all_problems_at_once(good):
    with h5py.File(good, "r+") as file:
        del file[NAME], file["CNN/b_cnn_0"]
        file["CNN/b_cnn_0"] = np.zeros(4, "f4")
        file["CNN/b_cnn_9"] = np.zeros(4, "f4")
        file["CNN/b_cnn_1"][0] = np.nan
    with refused(
        good,
        f"missing: {NAME} {SHAPE}",
        "shape: CNN/b_cnn_0 should be (3,), is (4,)",
        "unexpected: CNN/b_cnn_9 (4,)",
        "values: CNN/b_cnn_1 holds NaN",
        "Check that both belong together",
    ):
        read(good)


def places_of_structure(content):
    """The places of a file that hold no tensor's numbers, and no zeros."""
    free = np.frombuffer(content, "uint8") != 0

    def find(name, item):
        if isinstance(item, h5py.Dataset) and item.chunks is None:
            start = item.id.get_offset()
            free[start : start + item.id.get_storage_size()] = False

    with h5py.File(Golden("skip").weights) as file:
        file.visititems(find)
    return np.flatnonzero(free).tolist()


PLACES = st.sampled_from(places_of_structure(GOOD))


@PROPERTY
@given(st.lists(st.tuples(PLACES, BYTE), min_size=1, max_size=4))
def test_changed_bytes(tmp_path, changes):
    path = tmp_path / "weights.hdf5"
    path.write_bytes(mutated(GOOD, changes))
    is_harmless(lambda: read(path))


@settings(PROPERTY, max_examples=20)
@given(place=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_flipped_bit_loads_finite_weights_or_nothing(tmp_path, place, bit):
    path = tmp_path / "weights.hdf5"
    path.write_bytes(mutated(GOOD, [(place, GOOD[place] ^ 1 << bit)]))
    try:
        bilm = allennlp.open_pair(OPTIONS, path).build(BiLM)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert all(np.isfinite(weights).all() for weights in bilm.get_weights())


@PROPERTY
@given(content=st.binary(max_size=2000), start=st.integers(0, 2000))
def test_any_bytes(tmp_path, content, start):
    path = tmp_path / "weights.hdf5"
    path.write_bytes(GOOD[:start] + content)
    with refused(path):
        read(path)
