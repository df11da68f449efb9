"""Checkpoints of TF-Hub and of bilm-tf that should harm somebody."""

import pickle
import random
import shutil
import struct
from pathlib import Path

import checkpoint_writer as writer
import numpy as np
import pytest
import tensorflow as tf
from checkpoint_writer import block, entry, header, item, save, table, tensors
from golden import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from refusal import (
    BYTE,
    NOT_FINITE,
    PROPERTY,
    Trap,
    check_not_finite,
    fuzz_apart,
    is_harmless,
    mutated,
    read_all,
    refused,
)

from keras_elmo import ElmoEmbedding
from keras_elmo.weights.containers import checkpoint
from keras_elmo.weights.open_weights import open_module, open_weights

HUB = FIXTURES / "skip" / "hub"
BILM_TF = FIXTURES / "bilm_tf"
INDEX = (BILM_TF / "model.ckpt-1.index").read_bytes()
DATA = (BILM_TF / "model.ckpt-1.data-00000-of-00001").read_bytes()


@pytest.fixture
def prefix(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def without_tensorflow(monkeypatch):
    """What would end the process must not get as far as that."""

    def never(path):
        pytest.fail("TensorFlow reads what was to be refused")

    monkeypatch.setattr(tf.train, "load_checkpoint", never)


@pytest.fixture
def run(tmp_path):
    """The prefix of a good checkpoint of bilm-tf, to do harm to."""
    return shutil.copytree(BILM_TF, tmp_path / "run") / "model.ckpt-1"


@pytest.fixture
def hub(tmp_path):
    """The prefix of a good checkpoint of TF-Hub, to do harm to."""
    return shutil.copytree(HUB, tmp_path / "hub") / "variables" / "variables"


@pytest.fixture(params=["hub", "run"])
def good(request):
    """The prefix of a good checkpoint of either kind."""
    return request.getfixturevalue(request.param)


def files(prefix):
    ends = ".index", ".data-00000-of-00001"
    return [prefix.with_name(prefix.name + end) for end in ends]


def read(prefix):
    is_hub = prefix.name == "variables"
    return read_all(open_module(prefix.parent) if is_hub else open_weights(prefix))


def a_tensor(prefix):
    """The name of one that the model needs."""
    return f"{'bilm' if prefix.name == 'variables' else 'lm'}/CNN/W_cnn_0"


@pytest.mark.parametrize(
    ("place", "step", "said"),
    [(0, 61, "should be complete"), (1, 1024, "bytes, which are not there")],
    ids=["index", "data"],
)
def test_truncated_everywhere(good, place, step, said, without_tensorflow):
    path = files(good)[place]
    content = path.read_bytes()
    for size in range(0, len(content), step):
        path.write_bytes(content[:size])
        with refused(files(good)[0], said, "fetch them again"):
            read(good)


def test_no_data(good, without_tensorflow):
    index, data = files(good)
    data.unlink()
    with refused(index, data.name, "beside it"):
        read(good)


@pytest.mark.parametrize("is_pickle", [False, True], ids=["zeros", "pickle"])
def test_data_of_another_kind(good, tmp_path, is_pickle):
    """Data of the right size have the wrong checksums."""
    _, data = files(good)
    content = pickle.dumps([Trap(tmp_path / "sprung")]) if is_pickle else b""
    data.write_bytes(content.ljust(data.stat().st_size, b"\0"))
    with refused(good, "tensor", "fetch them again"):
        read(good)
    assert not (tmp_path / "sprung").exists()


HEADER, ENTRY = item(b"", header()), entry()
ITEM = item(b"x", ENTRY)


def hidden():
    """A block in which a search finds another entry than who reads from its start."""
    trap = item(b"b", b"") + item(b"x", entry((-5,)))
    lines = [HEADER, item(b"a", entry(others=[(100, trap)])), ITEM]
    restarts = 0, len(lines[0]), b"".join(lines).index(trap)
    return block(lines, restarts)


ENTRIES = {
    "negative size": entry((-5,), size=20),
    "two negative sizes": entry((-2, -2)),
    "overflow": entry((2**40, 2**40)),
    "overflow to what is there": entry((2**62 + 4, 4)),
    "huge": entry((2**38,), size=2**40),
    "largest": entry((2**63 - 1,)),
    "overflow to nothing": entry((2**62, 2**62, 0), size=0),
    "strings overflow": entry((2**62, 2**62), 7),
    "300 axes": entry((1,) * 300, size=4),
    "shape not known": writer.message((1, 1), (2, b"\x18\x01"), (5, 4)),
    "no dtype": entry(dtype=999),
    "no such data": entry(shard=7),
    "negative place": entry(offset=-8),
    "far place": entry(offset=2**60),
    "past the end": entry(offset=49),
    "another length": entry(size=12),
    "slices": entry(others=[(7, b"")]),
    "garbage": b"\xff\xff\xff",
}
FIRST = {
    "garbage as header": b"\xff\xff\xff",
    "no files": header(0),
    "many files": header(2**31 - 1),
    "negative files": header(-1),
}
BLOCKS = {
    "no header": [block([ITEM])],
    "twice": [block([HEADER, ITEM, ITEM])],
    "twice, in two blocks": [block([HEADER, ITEM]), block([ITEM])],
    "name of no text": [block([HEADER, item(b"\xff\xfe", ENTRY)])],
    "long name": [block([HEADER, item(b"x" * 5000, ENTRY)])],
    "name that begins as none": [block([HEADER, item(b"bilm/x", ENTRY, shared=5)])],
    "restarts elsewhere": [block([HEADER], (3,))],
    "restarts without end": [block([HEADER])[:-4] + struct.pack("<I", 2**31)],
    "hidden": [hidden()],
    "item past the end": [block([HEADER, ITEM[:-1]])],
    "cut item": [block([HEADER, ITEM[:-9]])],
}
MAGIC = struct.pack("<Q", writer.MAGIC)
INDICES = {
    "zeros": b"\0" * 5000,
    "ones": b"\xff" * 5000,
    "HDF5": b"\x89HDF\r\n\x1a\n" * 100,
    "pickle": pickle.dumps({"bilm/CNN/W_cnn_0": np.zeros(3)}),
    "magic": MAGIC,
    "no blocks": bytes(40) + MAGIC,
    "no end": b"\xff" * 40 + MAGIC,
    **{name: writer.index({"x": content}) for name, content in ENTRIES.items()},
    **{name: writer.index({"x": ENTRY}, first) for name, first in FIRST.items()},
    **{name: table(*blocks) for name, blocks in BLOCKS.items()},
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_indices_that_tensorflow_must_not_see(prefix, index, without_tensorflow):
    writer.write(prefix, index)
    with refused(prefix, "should be complete", "fetch them again"):
        checkpoint.read_arrays(prefix)


def test_the_writer_writes_good_ones(prefix):
    """The others could be refused for a mistake of the writer."""
    writer.write(prefix, writer.index({"a": ENTRY, "x": entry((2, 2))}))
    arrays = checkpoint.read_arrays(prefix)
    np.testing.assert_array_equal(arrays["a"][...], np.zeros(4, "float32"))
    np.testing.assert_array_equal(arrays["x"][...], np.zeros([2, 2], "float32"))


@pytest.mark.parametrize("dtype", [3, 7, 8, 9, 10, 11, 20, 21, 24, 29, 101, 107, 121])
def test_dtypes_that_are_never_read(prefix, dtype):
    """They are strings, resources and so on, some of which end the process."""
    writer.write(prefix, writer.index({"x": entry(dtype=dtype)}))
    arrays = checkpoint.read_arrays(prefix)
    with refused(prefix, "x (4,)", "floating-point", "float32"):
        arrays["x"][...]


def test_many_names(prefix, monkeypatch, without_tensorflow):
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", 10)
    index = writer.index({f"x{number}": ENTRY for number in range(10)})
    with refused(prefix, "one too many"):
        checkpoint.read_arrays(writer.write(prefix, index))


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_is_not_finite(good, value):
    arrays, name = tensors(good), a_tensor(good)
    arrays[name] = arrays[name].astype("float64")
    arrays[name][0, 0, 2, 1] = value
    folder = save(good, arrays).parent
    check_not_finite(open_weights(folder), folder, name, value)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "complex64", "S"])
def test_other_dtypes(good, dtype):
    arrays, name = tensors(good), a_tensor(good)
    arrays[name] = arrays[name].astype(dtype)
    save(good, arrays)
    with refused(good, name, arrays[name].shape, "floating-point", "Write it anew"):
        read(good)


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_good_dtypes(good, dtype):
    arrays, name = tensors(good), a_tensor(good)
    arrays[name] = tf.cast(arrays[name], dtype)
    found = read(save(good, arrays))[name]
    assert found.dtype == ("float32" if dtype == "bfloat16" else dtype)
    np.testing.assert_array_equal(found, tf.cast(arrays[name], found.dtype))


def test_all_problems_at_once(good):
    arrays, name = tensors(good), a_tensor(good)
    folder = name.rpartition("/")[0]
    arrays[name] = np.zeros([1, 1, 5, 3, 1], "float32")
    arrays[f"{name.partition('/')[0]}/x"] = np.zeros(2, "float32")
    missing = arrays.pop(f"{folder}/b_cnn_0").shape
    arrays[f"{folder}/b_cnn_1"] = arrays[f"{folder}/b_cnn_1"] * np.float32("nan")
    save(good, arrays)
    with refused(
        good,
        f"missing: {folder}/b_cnn_0 {missing}",
        f"shape: {name} should be (1, 1, ",
        "is (1, 1, 5, 3, 1)",
        "unexpected: ",
        f"values: {folder}/b_cnn_1",
        "Check that both belong together",
    ):
        read(good)


def test_two_names_of_one_tensor(run):
    arrays = tensors(run)
    name = "lm/RNN_0/rnn/multi_rnn_cell/cell_0/lstm_cell/bias"
    arrays["lm/RNN_0/rnn/lstm_cell/bias"] = arrays[name] + 1
    with refused(run, name, "every tensor once", "Write it again"):
        read(save(run, arrays))


def modules():
    """A name, tensors that a module holds instead, and what the error says."""
    weights, scaling = "aggregation/weights", "aggregation/scaling"
    good = {weights: np.zeros(3), scaling: np.ones(())}
    yield "four", {**good, weights: np.zeros(4)}, ""
    yield "rank", {**good, weights: np.zeros([3, 1])}, ""
    yield "scalings", {**good, scaling: np.ones(2)}, ""
    yield "nan", {**good, weights: np.array([0, np.nan, 0])}, ""
    yield "inf", {**good, scaling: np.array(np.inf)}, ""
    yield "integers", {**good, weights: np.zeros(3, "int32")}, ""
    yield "strings", {**good, weights: np.zeros(3, "S")}, ""
    for shape in ((), (4,), (0, 0), (262, 0), (1, 262, 5)):
        yield f"{shape}", {"bilm/char_embed": np.zeros(shape, "float32")}, ""
    kernel = np.zeros([1, 1, 5, 1], "float32")
    kernels = {f"bilm/CNN/W_cnn_{index}": kernel for index in range(2000)}
    yield "convolutions", kernels, "`filters` should be at most 100 pairs"


@pytest.mark.parametrize(
    ("arrays", "said"), [pytest.param(arrays, s, id=n) for n, arrays, s in modules()]
)
def test_modules_that_are_none(hub, arrays, said):
    save(hub, {**tensors(hub), **arrays})
    with refused(hub, said):
        ElmoEmbedding.from_tfhub(hub.parent)


def names_the_newest(place):
    return f'model_checkpoint_path: "{place}"\n'.encode()


@pytest.mark.parametrize(
    "content",
    [
        names_the_newest("../run/model.ckpt-1"),
        names_the_newest(BILM_TF / "model.ckpt-1"),
        names_the_newest("gs://nowhere/model"),
        *[b"", b"\xff\xfe", b"{", b"a: 1", bytes(5000)],
    ],
    ids=["beside", "absolute", "web", "empty", "no text", "cut", "key", "zeros"],
)
def test_file_of_names_is_broken_or_names_another_folder(run, tmp_path, content):
    """The file may come from who knows where."""
    (tmp_path / "other").mkdir()
    for name in ("a.index", "b.index"):
        (tmp_path / "other" / name).write_bytes(b"")
    (tmp_path / "other" / "checkpoint").write_bytes(content)
    with refused("which is none of these"):
        open_weights(tmp_path / "other")


def test_newest_checkpoint_of_a_folder_that_was_moved(run):
    shutil.copy(run.parent / "model.ckpt-1.index", run.parent / "model.ckpt-0.index")
    content = names_the_newest("/home/nobody/run/model.ckpt-1")
    (run.parent / "checkpoint").write_bytes(content)
    assert Path(open_weights(run.parent).origin).name == "model.ckpt-1"


@pytest.mark.parametrize("name", ["named", ".", "/"])
def test_folders_without_a_checkpoint(tmp_path, monkeypatch, name):
    """One of them has a folder of the name of an index."""
    (tmp_path / "named" / "model.index").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with refused("which is none of these"):
        open_weights(name)


GOOD = dict(checkpoint._items(INDEX))
NAMES = sorted(GOOD)


def rewritten(changes):
    """A good index with other entries, whose checksums are right again."""
    entries = dict(GOOD)
    for name, place, byte in changes:
        entries[name] = mutated(entries[name], [(place, byte)])
    first = entries.pop(b"")
    return writer.index({name.decode(): e for name, e in entries.items()}, first)


CHANGE = st.tuples(st.sampled_from(NAMES), st.integers(0, 99), BYTE)


@PROPERTY
@given(st.lists(CHANGE, min_size=1, max_size=5))
def test_entries_are_possible_or_refused(tmp_path, changes):
    """What is not possible must be refused before TensorFlow sees it."""
    prefix = writer.write(tmp_path / "model", rewritten(changes), DATA)
    try:
        found = checkpoint.read_index(prefix)
    except ValueError as error:
        assert str(prefix) in str(error)
        return
    for dtype, shape in found.values():
        assert all(size >= 0 for size in shape) and len(shape) <= 8
        if dtype in checkpoint.FLOATS:
            assert np.prod(shape) * dtype.size <= len(DATA)


@PROPERTY
@given(place=st.integers(0, len(DATA) - 1), content=st.binary(min_size=1, max_size=20))
def test_changed_data(tmp_path, place, content):
    data = (DATA[:place] + content + DATA[place + len(content) :])[: len(DATA)]
    prefix = writer.write(tmp_path / "model.ckpt-1", INDEX, data)
    shutil.copy(BILM_TF / "options.json", tmp_path)
    try:
        arrays = read(prefix)
    except ValueError as error:
        assert str(prefix) in str(error) and "fetch them again" in str(error)
    else:  # what was changed is of the softmax or the optimizer, or is as it was
        for name, expected in read(BILM_TF / "model.ckpt-1").items():
            np.testing.assert_array_equal(arrays[name], expected)


@PROPERTY
@given(st.binary(max_size=300))
def test_any_block(tmp_path, content):
    """The checksums around it are right."""
    prefix = writer.write(tmp_path / "model", table(content))
    with refused(prefix):
        checkpoint.read_index(prefix)


def fuzz(folder):
    """Mutates a good index, and has TensorFlow read what is not refused."""
    chance, loaded = random.Random(0), 0
    for _ in range(2000):
        changes = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            odd = chance.choice([0, 1, 2, 7, 127, 128, 255])
            byte = chance.choice([odd, chance.randrange(256)])
            changes.append((chance.choice(NAMES), chance.randrange(100), byte))
        prefix = writer.write(folder / "model", rewritten(changes), DATA)
        loaded += is_harmless(lambda: read_floats(prefix))  # noqa: B023
    return loaded


def read_floats(prefix):
    found, arrays = checkpoint.read_index(prefix), checkpoint.read_arrays(prefix)
    floats = [name for name in found if found[name].dtype in checkpoint.FLOATS]
    return {name: arrays[name][...] for name in floats}


@pytest.mark.slow
def test_thousands_of_changes(tmp_path):
    assert fuzz_apart(__file__, tmp_path) > 10
