"""Files of `torch.save` that should harm somebody."""

import pickle
import random
import struct
import zipfile

import numpy as np
import pytest
import torch_files
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
from torch_files import Build, Call, Import, Persistent, Raw

from keras_elmo.weights.containers import torch_pickle

ARRAYS = {
    "bias": np.arange(7, dtype="float32"),
    "doubles": np.arange(12.0).reshape(3, 4),
    "halves": np.arange(6, dtype="float16").reshape(2, 1, 3),
    "kernel": np.random.default_rng(0).normal(size=(30, 20)).astype("float32"),
    "number": np.float32(3.5).reshape(()),
}
KERNEL = ARRAYS["kernel"]
ONE = {"kernel": KERNEL}


def read(path):
    return {name: array[...] for name, array in torch_pickle.read_arrays(path).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "encoder.pkl"


@pytest.fixture(params=["legacy", "zip"])
def good(request, path):
    if request.param == "legacy":
        path.write_bytes(torch_files.legacy(ARRAYS))
        return path
    return torch_files.write_zip(path, ARRAYS)


def test_arrays_come_back(good):
    for name, array in torch_pickle.read_arrays(good).items():
        expected = ARRAYS[name]
        assert array.shape == expected.shape and array[...].dtype == expected.dtype
        np.testing.assert_array_equal(array[...], expected)
        if expected.shape:
            np.testing.assert_array_equal(array[1:3], expected[1:3])
            np.testing.assert_array_equal(array[3:3], expected[3:3])


def test_parts_of_one_storage(path):
    parts = {
        "first": torch_files.tensor("kernel", KERNEL, shape=(5, 20)),
        "second": torch_files.tensor("kernel", KERNEL, offset=100, shape=(25, 20)),
        "odd strides": torch_files.tensor(
            "kernel", KERNEL, shape=(1, 600), strides=(7, 1)
        ),
    }
    path.write_bytes(torch_files.legacy(ONE, parts))
    arrays = torch_pickle.read_arrays(path)
    np.testing.assert_array_equal(arrays["second"][3:4], KERNEL[8:9])
    np.testing.assert_array_equal(arrays["first"][...], KERNEL[:5])
    np.testing.assert_array_equal(arrays["odd strides"][...], KERNEL.reshape(1, 600))


def test_no_file(path):
    with pytest.raises(FileNotFoundError, match=r"encoder\.pkl.*no file"):
        torch_pickle.read_arrays(path)


def test_truncated_anywhere(good):
    content = good.read_bytes()
    for size in range(0, len(content), 97):
        good.write_bytes(content[:size])
        with refused(good, "should be complete", "fetch it again"):
            read(good)


def test_bytes_that_follow(path):
    path.write_bytes(torch_files.legacy(ARRAYS) + b"more")
    with refused(path, "4 bytes follow"):
        read(path)


def dangerous(module, name):
    return {"kernel": Call(Import(module, name), ("true",))}


IMPORTS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("builtins", "getattr"),
    ("torch", "load"),
    ("torch.storage", "_load_from_bytes"),
    ("torch._utils", "_rebuild_sparse_tensor"),
    ("torch", "LongStorage"),
    ("collections", "Counter"),
    ("collections OrderedDict", "x"),
    ("keras_elmo", "ElmoEmbedding"),
]


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_imports(path, module, name):
    path.write_bytes(torch_files.legacy({}, dangerous(module, name)))
    imported = f"{module}.{name}".replace(" ", ".")
    with refused(path, f"its pickle imports {imported!r}, which may do anything"):
        read(path)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(path, protocol, tmp_path):
    trap = pickle.dumps(Trap(tmp_path / "sprung"), protocol)
    for content in (trap, torch_files.legacy({}, Raw(trap[:-1]))):
        path.write_bytes(content)
        with refused(path, "its pickle"):
            read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("elmo/data.pkl", trap)
    with refused(path, "its pickle"):
        read(path)
    assert not (tmp_path / "sprung").exists()


# These opcodes call, import or read what is not there, or are merely odd; each has to
# be refused by its name.
OPCODES = {
    "INST": b"(ios\nsystem\n",
    "OBJ": b"(]o",
    "NEWOBJ": b")\x81",
    "NEWOBJ_EX": b")}\x92",
    "STACK_GLOBAL": b"NN\x93",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "PERSID": b"Pstorage\n",
    "STRING": b"S'a'\n",
    "BINBYTES": b"B\x01\x00\x00\x00a",
    "FRAME": b"\x95\x01\x00\x00\x00\x00\x00\x00\x00N",
    "NEXT_BUFFER": b"\x97",
    "INT": b"I12\n",
    "LONG4": b"\x8b\x01\x00\x00\x00\x01",
    "BINFLOAT": b"G" + bytes(8),
    "DUP": b"2",
}


@pytest.mark.parametrize(("name", "content"), OPCODES.items(), ids=OPCODES)
def test_opcodes(path, name, content):
    path.write_bytes(torch_files.legacy({}, Raw(content)))
    with refused(path, f"its pickle does {name}, which no dictionary of tensors"):
        read(path)


REFERENCES = {
    "another kind": Persistent(("module", None, "kernel", "cpu", 600)),
    "no tuple": Persistent("storage"),
    "short": Persistent(("storage", "kernel")),
    "a view": torch_files.storage("kernel", KERNEL, view=(("other", 0, 3),)),
    "integers": torch_files.storage("kernel", KERNEL, Import("torch", "LongStorage")),
    "no type": torch_files.storage("kernel", KERNEL, "torch.FloatStorage"),
    "a dictionary's type": torch_files.storage(
        "kernel", KERNEL, Import("collections", "OrderedDict")
    ),
    "negative": torch_files.storage("kernel", KERNEL, size=-1),
    "boolean": torch_files.storage("kernel", KERNEL, size=True),
    "huge": torch_files.storage("kernel", KERNEL, size=2**60),
    "more than there is": torch_files.storage("kernel", KERNEL, size=10**9),
    "key that is no string": torch_files.storage(3, KERNEL),
    "another key": torch_files.storage("../../etc/passwd", KERNEL),
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
@pytest.mark.parametrize("kind", ["legacy", "zip"])
def test_storages(path, reference, kind):
    value = {"kernel": torch_files.tensor("kernel", KERNEL, reference=reference)}
    if kind == "zip":
        torch_files.write_zip(path, ONE, value)
    else:
        path.write_bytes(torch_files.legacy(ONE, value))
    with takes_little(), refused(path, "could not be read"):
        read(path)


TENSORS = {
    "beyond its storage": ({"offset": 1}, "is said to start at 1"),
    "negative offset": ({"offset": -1}, "a size should be"),
    "larger": ({"shape": (31, 20)}, "is said to start at 0 of a storage of 600"),
    "negative": ({"shape": (-30, -20)}, "a size should be"),
    "huge": ({"shape": (2**40, 2**40)}, "is said to start at 0"),
    "transposed": ({"shape": (20, 30), "strides": (1, 20)}, "`tensor.contiguous()`"),
    "repeated": ({"shape": (10**9, 20), "strides": (0, 1)}, "`tensor.contiguous()`"),
    "fewer strides": ({"strides": (1,)}, "2 axes and 1 strides"),
    "9 axes": ({"shape": (1,) * 9, "strides": (1,) * 9}, "9 axes"),
    "no shape": ({"shape": [30, 20], "strides": (20, 1)}, "where a shape should be"),
    "names": ({"shape": ("a", "b"), "strides": (20, 1)}, "a size should be"),
}


@pytest.mark.parametrize(("lie", "message"), TENSORS.values(), ids=TENSORS)
def test_tensors(path, lie, message):
    value = {"kernel": torch_files.tensor("kernel", KERNEL, **lie)}
    path.write_bytes(torch_files.legacy(ONE, value))
    with takes_little(), refused(path, message):
        read(path)


REBUILD = Import("torch._utils", "_rebuild_tensor_v2")
ITSELF = b"}q\x01X\x01\x00\x00\x00ah\x01s"  # a dictionary that holds itself
VALUES = {
    "a list": ([1, 2], "holds a list in place of a dictionary"),
    "a number": (3, "holds a int in place of a dictionary"),
    "numbers": ({"a": 3}, "'a' in it is a int, no tensor"),
    "dictionaries": ({"a": {}}, "'a' in it is a dict, no tensor"),
    "itself": (Raw(ITSELF), "'a' in it is a dict, no tensor"),
    "an import": ({"a": Import("torch", "FloatStorage")}, "no tensor"),
    "a storage": ({"a": torch_files.storage("kernel", KERNEL)}, "no tensor"),
    "number for a name": ({3: None}, "a value of type int where a name"),
    "call of a type": ({"a": Call(Import("torch", "FloatStorage"), ())}, "calls torch"),
    "call of nothing": ({"a": Call(None, ())}, "calls what is no function"),
    "call with a list": ({"a": Call(REBUILD, [])}, "calls what is no function"),
    "few arguments": ({"a": Call(REBUILD, (1, 2))}, "calls torch._utils"),
    "no storage": ({"a": Call(REBUILD, (1, 2, 3, 4))}, "where a storage should be"),
    "arguments of a dictionary": (
        Call(Import("collections", "OrderedDict"), ([1],)),
        "calls collections.OrderedDict with 1",
    ),
    "attributes of nothing": (Build(None, {}), "of type NoneType"),
    "attributes that are none": (Build({}, ()), "of type tuple"),
    "empty stack": (Raw(b""), "STOP"),
    "key alone": (Raw(b"}(X\x01\x00\x00\x00au"), "a key without a value"),
    "no mark": (Raw(b"}u"), "SETITEMS on what is not there"),
    "mark for a value": (Raw(b"}(s"), "a mark for a value"),
    "what is not remembered": (Raw(b"h\x07"), "BINGET on what is not there"),
    "two values": (Raw(b"NN"), "leaves 2 values, not one"),
    "items of a list": (Raw(b"](NNu"), "where a dictionary should be"),
    "elements of a dictionary": (Raw(b"}Na"), "where a list should be"),
    "two million steps": (Raw(b"N0" * 500_000), "its pickle does POP"),
    "too many steps": (Raw(b"](" + b"N" * 200_000 + b"e"), "more than 100,000 steps"),
    "longer than it may be": (Raw(b"N" * 2**21), "its pickle"),
}


@pytest.mark.parametrize(("value", "message"), VALUES.values(), ids=VALUES)
def test_values(path, value, message):
    path.write_bytes(torch_files.legacy({}, value))
    with takes_little(), refused(path, message if message != "STOP" else "read"):
        read(path)


HEADS = {
    "magic": {"magic": 3},
    "version": {"version": 1002},
    "machine": {"machine": []},
    "big-endian": {"machine": {"little_endian": False}},
    "no list": {"keys": ("kernel",)},
    "no names": {"keys": [1]},
    "none": {"keys": []},
    "twice": {"keys": ["kernel", "kernel"]},
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_heads(path, head):
    path.write_bytes(torch_files.legacy(ONE, **head))
    with refused(path, "could not be read"):
        read(path)


@pytest.mark.parametrize("count", [-1, 599, 601, 2**62])
def test_counts_that_disagree(path, count):
    content = torch_files.legacy(ONE)
    place = len(content) - KERNEL.nbytes - 8
    path.write_bytes(content[:place] + struct.pack("<q", count) + content[place + 8 :])
    with takes_little(), refused(path, "600 numbers, and then"):
        read(path)


def test_zip_archives(path):
    torch_files.write_zip(path, ONE, order=b"big")
    with refused(path, "little-endian"):
        read(path)
    torch_files.write_zip(path, ONE, method=zipfile.ZIP_DEFLATED)
    with refused(path, "it is compressed"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"")
        archive.writestr("b/data.pkl", b"")
    with refused(path, "2 files named data.pkl"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("elmo/data.pkl", torch_files.pickled({}) * 10**5)
    with takes_little(), refused(path, "could not be read"):
        torch_files.write_zip(path, {}, torch_files.state_dict(ONE))
        read(path)


def test_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path)


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 10**4), BYTE), min_size=1, max_size=4))
def test_changed_bytes(tmp_path, changes):
    path = tmp_path / "encoder.pkl"
    path.write_bytes(mutated(torch_files.legacy(ARRAYS), changes))
    is_harmless(lambda: read(path))


@PROPERTY
@given(st.binary(max_size=200))
def test_any_pickle(tmp_path, content):
    path = tmp_path / "encoder.pkl"
    path.write_bytes(torch_files.legacy({}, Raw(content)))
    is_harmless(lambda: read(path))


def test_hundreds_of_changes(path):
    """In this process, because no library in C reads these files."""
    chance, loaded = random.Random(0), 0
    torch_files.write_zip(path, ARRAYS)
    for content in (torch_files.legacy(ARRAYS), path.read_bytes()):
        size = min(len(content), 1500)  # what describes the tensors comes first
        for _ in range(300):
            changes = [
                (chance.randrange(size), chance.randrange(256))
                for _ in range(chance.randrange(1, 4))
            ]
            path.write_bytes(mutated(content, changes))
            loaded += is_harmless(lambda: read(path))
    # Some changes are those of a tensor's name, or of its numbers.
    assert loaded > 0
