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
from golden import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from refusal import PROPERTY, is_harmless, read_all, refused, run_apart

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.weights.containers import checkpoint
from keras_elmo.weights.open_weights import open_module, open_weights

HUB = FIXTURES / "skip" / "hub"
BILM_TF = FIXTURES / "bilm_tf"
NAME = "bilm/CNN/W_cnn_0"


@pytest.fixture
def prefix(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def without_tensorflow(monkeypatch):
    """What would end the process must not get as far as that."""

    def never(path):
        pytest.fail("TensorFlow reads what was to be refused")

    monkeypatch.setattr(tf.train, "load_checkpoint", never)


@pytest.fixture(params=["TF-Hub", "bilm-tf"])
def good(request, tmp_path):
    """The prefix of a good checkpoint of either kind, to do harm to."""
    if request.param == "TF-Hub":
        return shutil.copytree(HUB, tmp_path / "hub") / "variables" / "variables"
    return shutil.copytree(BILM_TF, tmp_path / "run") / "model.ckpt-1"


def files(prefix):
    return [
        prefix.with_name(prefix.name + end)
        for end in (".index", ".data-00000-of-00001")
    ]


def read(prefix):
    folder = prefix.parent
    return read_all(
        open_module(folder) if prefix.name == "variables" else open_weights(prefix)
    )


def tensors(prefix):
    reader = tf.train.load_checkpoint(str(prefix))
    return {
        name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
    }


def save(prefix, arrays):
    names = list(arrays)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[arrays[name] for name in names],
    )
    return prefix


def a_tensor(prefix):
    """The name of one that the model needs."""
    return NAME if prefix.name == "variables" else NAME.replace("bilm/", "lm/")


def test_index_truncated_everywhere(good, without_tensorflow):
    index, _ = files(good)
    content = index.read_bytes()
    for size in range(0, len(content), 61):
        index.write_bytes(content[:size])
        with refused(index, "should be complete", "fetch them again"):
            read(good)


def test_data_truncated_at_every_kilobyte(good, without_tensorflow):
    index, data = files(good)
    content = data.read_bytes()
    for size in range(0, len(content), 1024):
        data.write_bytes(content[:size])
        with refused(index, "bytes, which are not there", "fetch them again"):
            read(good)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"\xff" * 5000,
        b"\x89HDF\r\n\x1a\n" * 100,
        pickle.dumps({NAME: np.zeros(3)}),
        struct.pack("<Q", writer.MAGIC),
        bytes(40) + struct.pack("<Q", writer.MAGIC),
        b"\xff" * 40 + struct.pack("<Q", writer.MAGIC),
    ],
    ids=["empty", "zeros", "ones", "HDF5", "pickle", "magic", "no blocks", "no end"],
)
def test_wrong_magic(good, content, without_tensorflow):
    index, _ = files(good)
    index.write_bytes(content)
    with refused(index, "should be complete", "fetch them again"):
        read(good)


def test_no_data(good, without_tensorflow):
    index, data = files(good)
    data.unlink()
    with refused(index, data.name, "beside it"):
        read(good)


def test_data_of_another_kind(good):
    """Of the right size: the checksums tell."""
    _, data = files(good)
    content = np.zeros(data.stat().st_size, "uint8")
    data.write_bytes(content.tobytes())
    with refused(good, "tensor", "fetch them again"):
        read(good)


def test_pickle_as_data(good, tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    _, data = files(good)
    size = data.stat().st_size
    data.write_bytes(pickle.dumps([Trap()]).ljust(size, b"\0"))
    with refused(good, "tensor"):
        read(good)
    assert not (tmp_path / "sprung").exists()


def hidden():
    """A block in which a search finds another entry than who reads from its start."""
    trap = writer.item(b"b", b"") + writer.item(b"x", writer.entry((-5,)))
    lines = [
        writer.item(b"", writer.header()),
        writer.item(b"a", writer.entry(others=[(100, trap)])),
        writer.item(b"x", writer.entry()),
    ]
    content = b"".join(lines)
    return writer.table(writer.block(lines, (0, len(lines[0]), content.index(trap))))


HEADER = writer.item(b"", writer.header())
ENTRY = writer.entry()
INDICES = {
    "negative size": writer.index({"x": writer.entry((-5,), size=20)}),
    "two negative sizes": writer.index({"x": writer.entry((-2, -2))}),
    "overflow": writer.index({"x": writer.entry((2**40, 2**40))}),
    "overflow to what is there": writer.index({"x": writer.entry((2**62 + 4, 4))}),
    "huge": writer.index({"x": writer.entry((2**38,), size=2**40)}),
    "largest": writer.index({"x": writer.entry((2**63 - 1,))}),
    "overflow to nothing": writer.index({"x": writer.entry((2**62, 2**62, 0), size=0)}),
    "strings overflow": writer.index({"x": writer.entry((2**62, 2**62), 7)}),
    "300 axes": writer.index({"x": writer.entry((1,) * 300, size=4)}),
    "shape not known": writer.index(
        {"x": writer.message((1, 1), (2, b"\x18\x01"), (5, 4))}
    ),
    "no dtype": writer.index({"x": writer.entry(dtype=999)}),
    "no such data": writer.index({"x": writer.entry(shard=7)}),
    "negative place": writer.index({"x": writer.entry(offset=-8)}),
    "far place": writer.index({"x": writer.entry(offset=2**60)}),
    "past the end": writer.index({"x": writer.entry(offset=49)}),
    "another length": writer.index({"x": writer.entry(size=12)}),
    "slices": writer.index({"x": writer.entry(others=[(7, b"")])}),
    "garbage": writer.index({"x": b"\xff\xff\xff"}),
    "no header": writer.table(writer.block([writer.item(b"x", ENTRY)])),
    "garbage as header": writer.index({"x": ENTRY}, b"\xff\xff\xff"),
    "no files": writer.index({"x": ENTRY}, writer.header(0)),
    "many files": writer.index({"x": ENTRY}, writer.header(2**31 - 1)),
    "negative files": writer.index({"x": ENTRY}, writer.header(-1)),
    "twice": writer.table(
        writer.block([HEADER, writer.item(b"x", ENTRY), writer.item(b"x", ENTRY)])
    ),
    "twice, in two blocks": writer.table(
        writer.block([HEADER, writer.item(b"x", ENTRY)]),
        writer.block([writer.item(b"x", ENTRY)]),
    ),
    "name of no text": writer.table(
        writer.block([HEADER, writer.item(b"\xff\xfe", ENTRY)])
    ),
    "long name": writer.index({"x" * 5000: ENTRY}),
    "name that begins as none": writer.table(
        writer.block([HEADER, writer.item(b"bilm/x", ENTRY, shared=5)])
    ),
    "restarts elsewhere": writer.table(writer.block([HEADER], (3,))),
    "restarts without end": writer.table(
        writer.block([HEADER])[:-4] + struct.pack("<I", 2**31)
    ),
    "hidden": hidden(),
    "item past the end": writer.table(
        writer.block([HEADER, writer.item(b"x", ENTRY)[:-1]])
    ),
    "cut item": writer.table(writer.block([HEADER, writer.item(b"x", ENTRY)[:-9]])),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_indices_that_tensorflow_must_not_see(prefix, index, without_tensorflow):
    writer.write(prefix, index)
    with refused(prefix, "should be complete", "fetch them again"):
        checkpoint.read_arrays(prefix)


def test_the_writer_writes_good_ones(prefix):
    """Or else all is refused for no reason."""
    writer.write(prefix, writer.index({"a": ENTRY, "x": writer.entry((2, 2))}))
    arrays = checkpoint.read_arrays(prefix)
    np.testing.assert_array_equal(arrays["a"][...], np.zeros(4, "float32"))
    np.testing.assert_array_equal(arrays["x"][...], np.zeros([2, 2], "float32"))


@pytest.mark.parametrize("dtype", [3, 7, 8, 9, 10, 11, 20, 21, 24, 29, 101, 107, 121])
def test_dtypes_that_are_never_read(prefix, dtype, monkeypatch):
    """Strings, resources, references and so on, some of which end the process."""
    writer.write(prefix, writer.index({"x": writer.entry(dtype=dtype)}))
    arrays = checkpoint.read_arrays(prefix)
    with refused(prefix, "x (4,)", "floating-point", "float32"):
        arrays["x"][...]


def test_many_names(prefix, monkeypatch, without_tensorflow):
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", 10)
    index = writer.index({f"x{number}": ENTRY for number in range(10)})
    with refused(prefix, "one too many"):
        checkpoint.read_arrays(writer.write(prefix, index))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_not_finite(good, value):
    arrays, name = tensors(good), a_tensor(good)
    arrays[name] = arrays[name].astype("float64")
    arrays[name][0, 0, 2, 1] = value
    source = open_weights(save(good, arrays).parent)
    with refused(f"values: {name} holds NaN or infinity", "`allow_nan=True`"):
        source.build(BiLM)
    with np.errstate(over="ignore"):
        kernel = source.build(BiLM, allow_nan=True).char_cnn.convolutions[0].kernel
        expected = np.float32(value)
    np.testing.assert_array_equal(np.asarray(kernel)[0, 2, 1], expected)


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
    arrays["bilm/x" if good.name == "variables" else "lm/x"] = np.zeros(2, "float32")
    missing = arrays.pop(f"{folder}/b_cnn_0").shape
    shape = arrays[f"{folder}/b_cnn_1"].shape
    arrays[f"{folder}/b_cnn_1"] = np.full(shape, np.nan, "float32")
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


def test_two_names_of_one_tensor(tmp_path):
    good = shutil.copytree(BILM_TF, tmp_path / "run") / "model.ckpt-1"
    arrays = tensors(good)
    name = "lm/RNN_0/rnn/multi_rnn_cell/cell_0/lstm_cell/bias"
    arrays["lm/RNN_0/rnn/lstm_cell/bias"] = arrays[name] + 1
    with refused(good, name, "every tensor once", "Write it again"):
        read(save(good, arrays))


@pytest.mark.parametrize(
    ("weights", "scaling"),
    [
        (np.zeros(4), np.ones(())),
        (np.zeros([3, 1]), np.ones(())),
        (np.zeros(3), np.ones(2)),
        (np.array([0, np.nan, 0]), np.ones(())),
        (np.zeros(3), np.array(np.inf)),
        (np.zeros(3, "int32"), np.ones(())),
        (np.zeros(3, "S"), np.ones(())),
    ],
    ids=["four", "rank", "scalings", "nan", "inf", "integers", "strings"],
)
def test_mix_of_another_kind(tmp_path, weights, scaling):
    good = shutil.copytree(HUB, tmp_path / "hub") / "variables" / "variables"
    arrays = {**tensors(good), "aggregation/weights": weights}
    save(good, {**arrays, "aggregation/scaling": scaling})
    with refused(good):
        ElmoEmbedding.from_tfhub(good.parent)


@pytest.mark.parametrize("shape", [(), (4,), (0, 0), (262, 0), (1, 262, 5)], ids=str)
def test_sizes_that_are_none(tmp_path, shape):
    good = shutil.copytree(HUB, tmp_path / "hub") / "variables" / "variables"
    save(good, {**tensors(good), "bilm/char_embed": np.zeros(shape, "float32")})
    with refused(good):
        read(good)


def test_thousands_of_convolutions(tmp_path):
    good = shutil.copytree(HUB, tmp_path / "hub") / "variables" / "variables"
    kernel = np.zeros([1, 1, 5, 1], "float32")
    arrays = {f"bilm/CNN/W_cnn_{index}": kernel for index in range(2000)}
    save(good, {**tensors(good), **arrays})
    with refused(good, "`filters` should be at most 100 pairs"):
        read(good)


@pytest.mark.parametrize(
    "place", ["../other/model.ckpt-1", "{folder}/model.ckpt-1", "gs://nowhere/model"]
)
def test_newest_checkpoint_is_not_elsewhere(tmp_path, place):
    """The file of names may come from who knows where."""
    other = shutil.copytree(BILM_TF, tmp_path / "other")
    (tmp_path / "run").mkdir()
    for name in ("a.index", "b.index"):
        (tmp_path / "run" / name).write_bytes(b"")
    line = f'model_checkpoint_path: "{place.format(folder=other)}"\n'
    (tmp_path / "run" / "checkpoint").write_text(line)
    with refused("which is none of these"):
        open_weights(tmp_path / "run")


def test_newest_checkpoint_of_a_folder_that_was_moved(tmp_path):
    run = shutil.copytree(BILM_TF, tmp_path / "run")
    shutil.copy(run / "model.ckpt-1.index", run / "model.ckpt-0.index")
    line = 'model_checkpoint_path: "/home/nobody/run/model.ckpt-1"\n'
    (run / "checkpoint").write_text(line)
    assert Path(open_weights(run).origin).name == "model.ckpt-1"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"a: 1", bytes(5000)])
def test_broken_file_of_names(tmp_path, content):
    for name in ("a.index", "b.index"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "checkpoint").write_bytes(content)
    with refused("which is none of these"):
        open_weights(tmp_path)


def test_folder_of_the_name_of_an_index(tmp_path):
    (tmp_path / "model.index").mkdir()
    with refused("which is none of these"):
        open_weights(tmp_path)


@pytest.mark.parametrize("name", [".", "/"])
def test_folders_without_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with refused("which is none of these"):
        open_weights(name)


def entries(content):
    return dict(checkpoint._items(content))


def rewritten(entries):
    """An index whose checksums are right again."""
    first = entries[b""]
    return writer.index({n.decode(): e for n, e in entries.items() if n}, first)


GOOD = entries((BILM_TF / "model.ckpt-1.index").read_bytes())
CHANGES = st.lists(
    st.tuples(st.sampled_from(sorted(GOOD)), st.integers(0, 99), st.integers(0, 255)),
    min_size=1,
    max_size=5,
)


def mutated(changes):
    entries = {name: bytearray(content) for name, content in GOOD.items()}
    for name, place, byte in changes:
        entries[name][place % len(entries[name])] = byte
    return rewritten({name: bytes(content) for name, content in entries.items()})


@PROPERTY
@given(CHANGES)
def test_entries_are_possible_or_refused(tmp_path, changes):
    """Before TensorFlow sees them."""
    data = (BILM_TF / "model.ckpt-1.data-00000-of-00001").read_bytes()
    prefix = writer.write(tmp_path / "model", mutated(changes), data)
    try:
        found = checkpoint.read_index(prefix)
    except ValueError as error:
        assert str(prefix) in str(error)
        return
    for dtype, shape in found.values():
        assert all(size >= 0 for size in shape) and len(shape) <= 8
        if dtype in checkpoint.FLOATS:
            assert np.prod(shape) * dtype.size <= len(data)


@PROPERTY
@given(place=st.integers(0, 20_000), content=st.binary(min_size=1, max_size=20))
def test_changed_data(tmp_path, place, content):
    good = (BILM_TF / "model.ckpt-1.data-00000-of-00001").read_bytes()
    place %= len(good)
    data = (good[:place] + content + good[place + len(content) :])[: len(good)]
    index = (BILM_TF / "model.ckpt-1.index").read_bytes()
    prefix = writer.write(tmp_path / "model.ckpt-1", index, data)
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
    """With right checksums around it."""
    prefix = writer.write(tmp_path / "model", writer.table(content))
    with refused(prefix):
        checkpoint.read_index(prefix)


def fuzz(folder, seed, count):
    """Mutates a good index, and has TensorFlow read what is not refused."""
    chance = random.Random(seed)
    data = (BILM_TF / "model.ckpt-1.data-00000-of-00001").read_bytes()
    names, odd = sorted(GOOD), [0, 1, 2, 7, 127, 128, 255]
    loaded = 0
    for _ in range(count):
        changes = [
            (chance.choice(names), chance.randrange(100), chance.choice(odd))
            if chance.random() < 0.5
            else (chance.choice(names), chance.randrange(100), chance.randrange(256))
            for _ in range(chance.choice([1, 1, 2, 3]))
        ]
        prefix = writer.write(folder / "model", mutated(changes), data)
        loaded += is_harmless(lambda: _floats(prefix))  # noqa: B023
    return loaded


def _floats(prefix):
    found = checkpoint.read_index(prefix)
    arrays = checkpoint.read_arrays(prefix)
    return {
        name: arrays[name][...]
        for name, entry in found.items()
        if entry.dtype in checkpoint.FLOATS
    }


@pytest.mark.slow
def test_thousands_of_changes(tmp_path):
    script = (
        "import sys; from pathlib import Path; import test_checkpoint as t; "
        "print(t.fuzz(Path(sys.argv[1]), 0, 2000))"
    )
    assert int(run_apart(script, tmp_path, folder=Path(__file__).parent)) > 10
