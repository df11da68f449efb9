"""`weights.hdf5` that should harm somebody."""

import json
import pickle
import random
import shutil
import struct
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from golden import Golden
from hypothesis import given, settings
from hypothesis import strategies as st
from refusal import PROPERTY, is_harmless, peak_memory, read_all, refused, run_apart

from keras_elmo import BiLM
from keras_elmo.weights.containers import hdf5
from keras_elmo.weights.formats import allennlp
from keras_elmo.weights.open_weights import open_weights

GOOD = Golden("skip").weights.read_bytes()
OPTIONS = Golden("skip").options
NAME = "CNN/W_cnn_0"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.hdf5"


@pytest.fixture
def good(path):
    """A good file, to do harm to."""
    path.write_bytes(GOOD)
    return path


def read(path, options=OPTIONS):
    return read_all(allennlp.open_pair(options, path))


def replace(path, make, name=NAME):
    """Has `make(file)` put something in the place of a tensor."""
    with h5py.File(path, "r+") as file:
        del file[name]
        make(file)
    return path


def test_truncated_at_every_kilobyte(path):
    for size in range(0, len(GOOD), 1024):
        path.write_bytes(GOOD[:size])
        with refused(path, "complete HDF5 file", "fetch it again"):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89HDF\r\n\x1a\n",
        b"\x89HDF\r\n\x1a\x0a" + b"\xff" * 5000,
        b"\x88" + GOOD[1:],
        b"PK\x03\x04" + GOOD[4:],
        pickle.dumps({NAME: np.zeros(3)}),
        b"\0" * 10_000,
    ],
    ids=["empty", "magic alone", "garbage", "wrong magic", "zip", "pickle", "zeros"],
)
def test_wrong_magic(path, content):
    path.write_bytes(content)
    with refused(path, "complete HDF5 file", "fetch it again"):
        read(path)


class Trap:
    """Whose pickle, when read, leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickles_are_never_read(tmp_path):
    sprung = tmp_path / "sprung"
    with open(tmp_path / "weights.pkl", "wb") as file:
        pickle.dump(Trap(sprung), file)
    objects = np.array([Trap(sprung)])
    np.savez(tmp_path / "weights.npz", **{NAME: objects})
    np.save(tmp_path / "weights.npy", objects)
    for name in ("weights.pkl", "weights.npz", "weights.npy"):
        with refused(tmp_path / name, "complete HDF5 file"):
            read(tmp_path / name)
        with refused(tmp_path / name, "which is none of these"):
            open_weights(tmp_path / name)
    assert not sprung.exists()


def test_pickle_as_a_tensor(good, tmp_path):
    content = pickle.dumps(Trap(tmp_path / "sprung"))
    replace(
        good, lambda file: file.create_dataset(NAME, data=np.array(np.void(content)))
    )
    with refused(good, NAME, "dtype |V"):
        read(good)
    assert not (tmp_path / "sprung").exists()


def _time(file):
    group, space = file["CNN"], h5py.h5s.create_simple((3,))
    h5py.h5d.create(group.id, b"W_cnn_0", h5py.h5t.UNIX_D32LE, space)


def _array(file):
    dtype = h5py.h5t.array_create(h5py.h5t.IEEE_F32LE, (2**31 - 1,))
    h5py.h5d.create(file["CNN"].id, b"W_cnn_0", dtype, h5py.h5s.create_simple((0,)))


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.create_dataset(NAME, (3,), h5py.vlen_dtype("f4")),
        lambda file: file.create_dataset(NAME, (3,), h5py.string_dtype()),
        lambda file: file.create_dataset(NAME, (3,), h5py.ref_dtype),
        lambda file: file.create_dataset(NAME, data=np.zeros(3, "S4")),
        lambda file: file.create_dataset(NAME, data=np.zeros(3, [("a", "f4")])),
        lambda file: file.create_dataset(NAME, data=np.zeros((1, 1, 5, 3), "int32")),
        lambda file: file.create_dataset(NAME, data=np.zeros((1, 1, 5, 3), bool)),
        lambda file: file.create_dataset(NAME, data=np.zeros((1, 1, 5, 3), "c8")),
        lambda file: file.create_dataset(NAME, data=np.zeros(3, np.longdouble)),
        lambda file: file.create_dataset(NAME, data=h5py.Empty("f4")),
        _time,
        _array,
    ],
    ids=[
        "objects",
        "strings",
        "references",
        "bytes",
        "compound",
        "integers",
        "booleans",
        "complex",
        "long double",
        "nothing",
        "time",
        "array",
    ],
)
def test_other_dtypes(good, make):
    with refused(good, "fetch it again"):
        read(replace(good, make))


def test_name_that_is_no_text(good):
    def make(file):
        space = h5py.h5s.create_simple((1,))
        h5py.h5d.create(file.id, b"\xff\xfe", h5py.h5t.IEEE_F32LE, space)

    with refused(good, "no name of a tensor", "fetch it again"):
        read(replace(good, make))


@pytest.mark.parametrize("kind", ["soft", "dangling", "external"])
def test_links_are_not_followed(good, tmp_path, kind):
    other = shutil.copy(good, tmp_path / "other.hdf5")
    link = {
        "soft": h5py.SoftLink("/CNN/W_cnn_1"),
        "dangling": h5py.SoftLink("/nowhere"),
        "external": h5py.ExternalLink(str(other), NAME),
    }[kind]

    def make(file):
        file[NAME] = link

    with refused(good, f"missing: {NAME} (1, 1, 5, 3)", "nothing was loaded"):
        read(replace(good, make))


@pytest.mark.parametrize("other", ["CNN/A", "CNN/Z"])
def test_hard_links(good, other):
    """The library comes by every tensor once, by the first of its names."""
    with h5py.File(good, "r+") as file:
        file[other] = file[NAME]
    if other > NAME:
        assert NAME in read(good)
        return
    with refused(good, f"missing: {NAME} (1, 1, 5, 3)", f"unexpected: {other} (1,"):
        read(good)


def test_cycles(good):
    with h5py.File(good, "r+") as file:
        file["CNN/up"] = file["/"]
        file["RNN_0/itself"] = file["RNN_0"]
    assert len(read(good)) == len(hdf5.read_arrays(Golden("skip").weights))


def test_external_storage(good, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(60))

    def make(file):
        file.create_dataset(NAME, (1, 1, 5, 3), "f4", external=[(str(secret), 0, 60)])

    with refused(good, NAME, "refers to another file"):
        read(replace(good, make))


def test_virtual_tensor(good, tmp_path):
    other = shutil.copy(good, tmp_path / "other.hdf5")
    layout = h5py.VirtualLayout((1, 1, 5, 3), "f4")
    layout[...] = h5py.VirtualSource(str(other), NAME, (1, 1, 5, 3))
    with refused(good, NAME, "refers to another file"):
        read(replace(good, lambda file: file.create_virtual_dataset(NAME, layout)))


def test_deep_groups(path):
    with h5py.File(path, "w") as file:
        group = file.id
        for _ in range(3000):
            group = h5py.h5g.create(group, b"g")
    start = time.monotonic()
    with refused(path, "no name of a tensor"):
        read(path)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"chunks": (1000, 1000)},
    ],
    ids=["plain", "parts"],
)
@pytest.mark.parametrize("shape", [(10**9, 10**6), (10**4, 10**6)])
def test_absurd_shapes_without_data(good, filters, shape):
    before = peak_memory()
    with refused(good, NAME, shape, "0 bytes are there", "fetch it again"):
        read(replace(good, lambda f: f.create_dataset(NAME, shape, "f4", **filters)))
    assert peak_memory() - before < 2**27


def test_absurd_shape_of_nothing(good):
    shape = (0, 10**9, 10**9)
    replace(good, lambda file: file.create_dataset(NAME, shape, "f4"))
    with refused(good, f"{NAME} should be (1, 1, 5, 3), is {shape}"):
        read(good)


def test_absurd_shapes_that_the_options_confirm(good, tmp_path):
    """Two millions of units: 32 TB."""
    content = json.loads(OPTIONS.read_text())
    content["lstm"]["dim"] = content["lstm"]["projection_dim"] = 10**6
    content["lstm"]["n_layers"] = 1
    (tmp_path / "options.json").write_text(json.dumps(content))
    with h5py.File(good, "r+") as file:
        for direction in range(2):
            group = f"RNN_{direction}/RNN/MultiRNNCell"
            del file[group]
            kernel = f"{group}/Cell0/LSTMCell/W_0"
            file.create_dataset(kernel, (2 * 10**6, 4 * 10**6), "f4", chunks=True)
    before = peak_memory()
    with refused(good, "W_0", "(2000000, 4000000)", "0 bytes are there"):
        BiLM.from_hdf5(tmp_path / "options.json", good)
    assert peak_memory() - before < 2**27


@pytest.mark.parametrize(
    "filters",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True},
        {"compression": "lzf"},
        {"fletcher32": True},
        {"scaleoffset": 3},
        {"shuffle": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(1, 1, 5, 3), (10**4, 10**6)], ids=str)
def test_filters_are_refused(good, filters, shape):
    """The library itself reads, or takes, memory without end where a compressed part
    has another size than it should."""
    before = peak_memory()
    replace(good, lambda file: file.create_dataset(NAME, shape, "f4", **filters))
    with refused(good, NAME, "compressed", "`h5repack -f NONE in.hdf5 out.hdf5`"):
        read(good)
    assert peak_memory() - before < 2**27


@pytest.mark.parametrize("rows", [0, 1])
def test_parts_that_are_not_there(good, rows):
    def make(file):
        dataset = file.create_dataset(NAME, (7, 3), "f4", chunks=(4, 2))
        dataset[:rows] = 1

    with refused(good, NAME, "(7, 3)", "bytes are there", "fetch it again"):
        read(replace(good, make))


@pytest.mark.parametrize(
    ("place", "value"),
    [(-9, 2), (-9, 4), (-9, 0), (0, 0), (4, 0), (0, 255), (8, 8)],
)
def test_parts_of_another_shape(good, place, value):
    """Or of other axes, or of nothing."""
    array = np.zeros((8, 4), "f4")
    replace(good, lambda f: f.create_dataset(NAME, data=array, chunks=(8, 4)))
    content = bytearray(good.read_bytes())
    start = content.index(struct.pack("<3I", 8, 4, 4))
    content[start + place] = value
    good.write_bytes(content)
    is_harmless(lambda: {NAME: hdf5.read_arrays(good)[NAME][...]})


@pytest.mark.parametrize("filters", [{}, {"chunks": True}], ids=str)
def test_good_files_in_parts(good, filters):
    """Also of several parts, of which the last are not full."""
    expected = {name: array[...] for name, array in hdf5.read_arrays(good).items()}
    expected["doubles"] = np.random.default_rng(0).normal(size=(700, 333))
    expected["big-endian"] = np.arange(60, dtype=">f4").reshape(3, 20)
    expected["halves"] = np.arange(1000, dtype="float16")
    with h5py.File(good, "w") as file:
        for name, array in expected.items():
            file.create_dataset(name, data=array, **filters)
    for name, array in hdf5.read_arrays(good).items():
        np.testing.assert_array_equal(array[...], expected[name])
        np.testing.assert_array_equal(array[1:3], expected[name][1:3])
        assert array[...].dtype == expected[name].dtype


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_not_finite(good, value):
    array = np.zeros((1, 1, 5, 3))
    array[0, 0, 2, 1] = value
    replace(good, lambda file: file.create_dataset(NAME, data=array))
    with refused(good, f"values: {NAME} holds NaN or infinity", "`allow_nan=True`"):
        allennlp.open_pair(OPTIONS, good).build(BiLM)
    with np.errstate(over="ignore"):
        bilm = allennlp.open_pair(OPTIONS, good).build(BiLM, allow_nan=True)
        expected = np.float32(value)
    kernel = np.asarray(bilm.char_cnn.convolutions[0].kernel)
    np.testing.assert_array_equal(kernel[0, 2, 1], expected)


def test_all_problems_at_once(good):
    with h5py.File(good, "r+") as file:
        del file[NAME], file["CNN/b_cnn_0"]
        file["CNN/b_cnn_0"] = np.zeros(4, "f4")
        file["CNN/b_cnn_9"] = np.zeros(4, "f4")
        file["CNN/b_cnn_1"][0] = np.nan
    with refused(
        good,
        f"missing: {NAME} (1, 1, 5, 3)",
        "shape: CNN/b_cnn_0 should be (3,), is (4,)",
        "unexpected: CNN/b_cnn_9 (4,)",
        "values: CNN/b_cnn_1 holds NaN",
        "Check that both belong together",
    ):
        read(good)


def of_structure(content):
    """The places of a file that hold no tensor's numbers."""
    free = np.ones(len(content), bool)

    def find(name, item):
        if isinstance(item, h5py.Dataset) and item.chunks is None:
            start = item.id.get_offset()
            free[start : start + item.id.get_storage_size()] = False

    with h5py.File(Golden("skip").weights) as file:
        file.visititems(find)
    # Where nothing is, nothing is broken.
    return np.flatnonzero(free & (np.frombuffer(content, "uint8") != 0)).tolist()


PLACES = of_structure(GOOD)
CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.integers(0, 255)), min_size=1, max_size=4
)


def mutated(content, changes):
    content = bytearray(content)
    for place, byte in changes:
        content[place] = byte
    return bytes(content)


@PROPERTY
@given(CHANGES)
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


def fuzz(path, source, count):
    """Mutates a file anywhere, and reads it; how often that worked."""
    content, chance = source.read_bytes(), random.Random(0)
    places = [place for place, byte in enumerate(content) if byte]

    def read_any():
        return {name: array[...] for name, array in hdf5.read_arrays(path).items()}

    loaded = 0
    for _ in range(count):
        size = chance.choice([1, 1, 2, 4])
        changes = [(chance.choice(places), chance.randrange(256)) for _ in range(size)]
        path.write_bytes(mutated(content, changes))
        loaded += is_harmless(read_any)
    return loaded


@pytest.mark.slow
def test_thousands_of_changes(good, tmp_path):
    script = (
        "import sys; from pathlib import Path; import test_hdf5 as tests; "
        "print(tests.fuzz(*map(Path, sys.argv[1:]), 2000))"
    )
    fuzzed, here = tmp_path / "fuzzed.hdf5", Path(__file__).parent
    assert int(run_apart(script, fuzzed, good, folder=here)) > 10
