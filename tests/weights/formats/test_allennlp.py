import json
import os
import re

import h5py
import keras
import numpy as np
import pytest
from full_disk import largest_file
from golden import Golden
from models import skip_bilm, skip_elmo

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.weights import mapping, tables
from keras_elmo.weights.variables import named_variables


def tensors(path):
    with h5py.File(path, "r") as file:
        found = {}
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def write(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


@pytest.fixture
def options():
    return json.loads(Golden("skip").options.read_text())


@pytest.fixture
def arrays():
    return tensors(Golden("skip").weights)


def test_round_trip_is_bit_for_bit(golden, tmp_path):
    elmo = ElmoEmbedding.from_hdf5(**golden.files)
    elmo.to_hdf5(tmp_path / "options.json", tmp_path / "weights.hdf5")
    before, after = tensors(golden.weights), tensors(tmp_path / "weights.hdf5")
    assert set(before) == set(after)
    for name, array in before.items():
        assert after[name].dtype == array.dtype
        np.testing.assert_array_equal(after[name], array)
    written = json.loads((tmp_path / "options.json").read_text())
    assert written == json.loads(golden.options.read_text())
    assert sorted(os.listdir(tmp_path)) == ["options.json", "weights.hdf5"]


def test_every_variable_has_a_place_in_the_table(golden):
    """Filled with distinct values, so that no two can be mistaken for each other."""
    bilm = BiLM.from_hdf5(**golden.files)
    variables = named_variables(bilm)
    assert {id(v) for v in variables.values()} == {id(v) for v in bilm.variables}
    start = 0
    for variable in variables.values():
        count = int(np.prod(variable.shape))
        values = np.arange(start, start + count, dtype="float32")
        variable.assign(values.reshape(variable.shape))
        start += count
    collected = mapping.collect(tables.HDF5, variables)
    other = BiLM.from_hdf5(**golden.files)
    mapping.apply(tables.HDF5, collected, named_variables(other), "memory")
    for name, variable in named_variables(other).items():
        expected = np.asarray(variables[name])
        if name == "char_embedding":  # the row of 'no token' is not in the file
            expected[0] = 0
        np.testing.assert_array_equal(np.asarray(variable), expected, err_msg=name)


def test_options_as_a_dictionary(options):
    assert BiLM.from_hdf5(options, Golden("skip").weights).count_params() > 0


def test_arguments_pass_on():
    elmo = skip_elmo(
        output_key="elmo",
        finetune="lstm",
        tokenizer="whitespace",
        name="mine",
        dtype="mixed_bfloat16",
    )
    assert (elmo.output_key, elmo.finetune, elmo.name) == ("elmo", "lstm", "mine")
    assert elmo.compute_dtype == "bfloat16" == elmo.bilm.bilstm.compute_dtype
    assert elmo.sentence_boundaries
    without = skip_elmo(sentence_boundaries=False)
    assert not without.sentence_boundaries
    assert not ElmoEmbedding(without.bilm).sentence_boundaries


def test_null_clips(options, tmp_path):
    options["lstm"]["cell_clip"] = options["lstm"]["proj_clip"] = None
    bilm = BiLM.from_hdf5(options, Golden("skip").weights)
    assert bilm.bilstm.cell_clip is None
    bilm.to_hdf5(tmp_path / "options.json", tmp_path / "weights.hdf5")
    assert json.loads((tmp_path / "options.json").read_text()) == options


def test_all_problems_in_one_error(options, arrays, tmp_path):
    options["lstm"]["n_layers"] = 3
    arrays["CNN/W_cnn_0"] = arrays["CNN/W_cnn_0"][..., :-1]
    arrays["CNN/b_cnn_1"][0] = np.nan
    arrays["CNN/extra"] = np.zeros(2, "float32")
    del arrays["CNN_proj/b_proj"]
    path = write(tmp_path / "weights.hdf5", arrays)
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        BiLM.from_hdf5(options, path)
    message = str(error.value)
    for line in (
        "missing: CNN_proj/b_proj (12,)",
        "missing: RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/W_0 (24, 192)",
        "missing: RNN_1/RNN/MultiRNNCell/Cell2/LSTMCell/W_P_0 (48, 12)",
        "unexpected: CNN/extra (2,)",
        "shape: CNN/W_cnn_0 should be (1, 1, 5, 3), is (1, 1, 5, 2)",
        "values: CNN/b_cnn_1 holds NaN or infinity",
        os.fspath(path),
    ):
        assert line in message
    assert message.count("missing:") == 1 + 6


def test_nothing_is_half_loaded(arrays):
    bilm = skip_bilm()
    before = bilm.get_weights()
    arrays = {name: array + 1 for name, array in arrays.items()}
    arrays.popitem()
    with pytest.raises(ValueError, match="missing"):
        mapping.apply(tables.HDF5, arrays, named_variables(bilm), "memory")
    for left, right in zip(before, bilm.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("lstm", "dim", 24, r"shape: RNN_0.*should be \(24, 96\), is \(24, 192\)"),
        ("lstm", "projection_dim", 10, "shape: CNN_proj/W_proj"),
        ("lstm", "projection_dim", 100, "`projection_dim` should not exceed"),
        ("char_cnn", "n_highway", 2, "missing: CNN_high_1/W_carry"),
        ("char_cnn", "n_highway", 0, "unexpected: CNN_high_0/W_carry"),
        ("char_cnn", "activation", "gelu", r"\['relu', 'tanh'\].*Received: 'gelu'"),
        ("char_cnn", "n_characters", 300, "262 under char_cnn.n_characters.*300"),
        ("char_cnn", "filters", [[1, 3]], "unexpected: CNN/W_cnn_1"),
        ("lstm", "use_skip_connections", "false", "`use_skip_connections` should be"),
    ],
)
def test_options_that_disagree_with_the_weights(options, section, key, value, message):
    options[section][key] = value
    with pytest.raises(ValueError, match=f"(?s){message}"):
        BiLM.from_hdf5(options, Golden("skip").weights)


def test_incomplete_options(options):
    del options["lstm"]["dim"], options["char_cnn"]["filters"]
    del options["char_cnn"]["embedding"]
    missing = "['char_cnn.filters', 'lstm.dim', 'char_cnn.embedding']"
    with pytest.raises(ValueError, match=re.escape(missing)):
        BiLM.from_hdf5(options, Golden("skip").weights)
    del options["char_cnn"]
    with pytest.raises(ValueError, match="hold an object 'char_cnn'"):
        BiLM.from_hdf5(options, Golden("skip").weights)


def test_one_direction_is_not_elmo(options):
    options["bidirectional"] = False
    with pytest.raises(ValueError, match="bidirectional"):
        BiLM.from_hdf5(options, Golden("skip").weights)


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[1]", b"\xff\xfe\x00"])
def test_broken_options_file(tmp_path, content):
    path = tmp_path / "options.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`options` should be a JSON"):
        BiLM.from_hdf5(path, Golden("skip").weights)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_truncated_weights_file(tmp_path, share):
    content = Golden("skip").weights.read_bytes()
    path = tmp_path / "weights.hdf5"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match="should be a complete HDF5 file"):
        BiLM.from_hdf5(Golden("skip").options, path)


def test_weights_file_that_is_not_hdf5(tmp_path):
    path = tmp_path / "weights.hdf5"
    path.write_text("version https://git-lfs.github.com/spec/v1\n" * 100)
    with pytest.raises(ValueError, match="should be a complete HDF5 file"):
        BiLM.from_hdf5(Golden("skip").options, path)


def test_weights_that_are_no_numbers(arrays, tmp_path):
    path = write(tmp_path / "weights.hdf5", {**arrays, "CNN/b_cnn_0": "text"})
    with pytest.raises(ValueError, match="floating-point.*CNN/b_cnn_0"):
        BiLM.from_hdf5(Golden("skip").options, path)


@pytest.mark.parametrize("name", ["options", "weights"])
def test_files_that_are_not_there(tmp_path, name):
    files = {**Golden("skip").files, name: tmp_path / "nowhere"}
    with pytest.raises(FileNotFoundError, match=f"`{name}` should be the path"):
        BiLM.from_hdf5(**files)


def test_full_disk_leaves_the_old_file(tmp_path):
    bilm = skip_bilm()
    paths = tmp_path / "options.json", tmp_path / "weights.hdf5"
    bilm.to_hdf5(*paths)
    before = paths[1].read_bytes()
    with (
        largest_file(len(before) // 2),
        pytest.raises(OSError, match="File too large"),
    ):
        bilm.to_hdf5(*paths, overwrite=True)
    assert paths[1].read_bytes() == before
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("name", ["options", "weights"])
def test_folder_in_the_way(tmp_path, name):
    paths = {"options": tmp_path / "o.json", "weights": tmp_path / "w.hdf5"}
    paths[name].mkdir()
    (paths[name] / "thesis.txt").write_text("years of work")
    with pytest.raises(IsADirectoryError, match="path of a file to write"):
        skip_bilm().to_hdf5(**paths)
    assert (paths[name] / "thesis.txt").read_text() == "years of work"


def test_values_too_large_for_float32(arrays, tmp_path):
    arrays["CNN/b_cnn_0"] = np.full(3, 1e300)
    path = write(tmp_path / "weights.hdf5", arrays)
    with pytest.raises(ValueError, match="values: CNN/b_cnn_0 holds"):
        BiLM.from_hdf5(Golden("skip").options, path)


def test_bfloat16_weights_are_written_as_float32(tmp_path):
    bilm = skip_bilm(dtype="bfloat16")
    paths = tmp_path / "options.json", tmp_path / "weights.hdf5"
    bilm.to_hdf5(*paths)
    again = BiLM.from_hdf5(*paths, dtype="bfloat16")
    for left, right in zip(bilm.variables, again.variables, strict=True):
        np.testing.assert_array_equal(
            *(keras.ops.cast(v, "float32") for v in (left, right))
        )


def test_activation_that_the_format_does_not_have(tmp_path):
    bilm = BiLM([[1, 4]], units=4, projection_dim=4, activation="gelu")
    with pytest.raises(ValueError, match=r"\['relu', 'tanh'\].*'gelu'"):
        bilm.to_hdf5(tmp_path / "options.json", tmp_path / "weights.hdf5")
    assert os.listdir(tmp_path) == []


def test_bilm_keras_file(tmp_path):
    bilm = skip_bilm()
    char_ids = Golden("skip").arrays["char_ids_0"]
    bilm.save(tmp_path / "bilm.keras")
    loaded = keras.models.load_model(tmp_path / "bilm.keras")
    assert loaded.sentence_boundaries
    for left, right in zip(bilm(char_ids), loaded(char_ids), strict=True):
        np.testing.assert_array_equal(left, right)


def test_nothing_is_replaced_unless_asked(tmp_path):
    bilm = skip_bilm()
    paths = tmp_path / "o.json", tmp_path / "w.hdf5"
    for path in paths:
        path.write_text("years of work")
        with pytest.raises(FileExistsError, match=rf"'{path}'.*`overwrite=True`"):
            bilm.to_hdf5(*paths)
        assert [p.read_text() for p in tmp_path.iterdir()] == ["years of work"]
        path.unlink()
    bilm.to_hdf5(*paths)
    bilm.to_hdf5(*paths, overwrite=True)
    assert BiLM.from_hdf5(*paths).count_params() == bilm.count_params()


def test_a_pair_is_written_together(tmp_path, monkeypatch):
    """If the weights can't be written, the old options stay with the old weights."""
    bilm = skip_bilm()
    paths = tmp_path / "o.json", tmp_path / "w.hdf5"
    bilm.to_hdf5(*paths)
    before = [path.read_bytes() for path in paths]

    def no_space(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr("keras_elmo.weights.formats.allennlp.write_arrays", no_space)
    other = BiLM([[1, 4]], units=4, projection_dim=4)
    with pytest.raises(OSError, match="No space left"):
        other.to_hdf5(*paths, overwrite=True)
    assert [path.read_bytes() for path in paths] == before


def test_swapped_files():
    golden = Golden("skip")
    with pytest.raises(ValueError, match="`options` should be a JSON.*seem swapped"):
        BiLM.from_hdf5(golden.weights, golden.options)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("tiny_en", r"from_preset\('tiny_en'\)"),
        ("allennlp/small", r"from_preset\('allennlp/small'\)"),
        (
            "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/"
            "2x1024_128_2048cnn_1xhighway/"
            "elmo_2x1024_128_2048cnn_1xhighway_options.json",
            r"from_preset\('allennlp/small'\)",
        ),
        ("https://example.com/options.json", "an address. Download.*`from_preset`"),
    ],
)
@pytest.mark.parametrize("argument", ["options", "weights"])
def test_names_and_addresses_are_no_files(argument, name, advice):
    files = {**Golden("skip").files, argument: name}
    expected = f"`{argument}` should be the path.*{argument}='{name}'.*{advice}"
    with pytest.raises(FileNotFoundError, match=expected):
        BiLM.from_hdf5(**files)


@pytest.mark.parametrize("argument", ["options", "weights"])
def test_paths_of_another_type(argument):
    files = {**Golden("skip").files, argument: 3}
    with pytest.raises(ValueError, match=f"`{argument}` .*{argument}=3 of type int"):
        BiLM.from_hdf5(**files)
