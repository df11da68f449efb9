import json
import shutil

import h5py
import numpy as np
import pytest
from golden import FIXTURES

from keras_elmo import ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.pretraining.language_model import LanguageModel

CHECKPOINT = FIXTURES / "bilm_tf" / "model.ckpt-1"
MIX = np.array([0.1, -0.4, 0.9], "float32")


@pytest.fixture
def preset(skip_model, tmp_path):
    """A preset with boundaries, a mix and metadata, as a command names it."""
    elmo = ElmoEmbedding.from_hdf5(**skip_model.files, tokenizer="whitespace")
    elmo.mix.set_weights([MIX, np.array(0.8)])
    elmo.save_to_preset(tmp_path / "preset", metadata={"corpus": "a small one"})
    return str(tmp_path / "preset")


def convert(*arguments):
    main(["convert", *map(str, arguments)])


def test_there_and_back_again(preset, tmp_path, capsys):
    convert(preset, tmp_path / "w.hdf5")
    assert "w.hdf5 and " in capsys.readouterr().out
    convert(
        tmp_path / "w.options.json",
        tmp_path / "w.hdf5",
        tmp_path / "folder",
        "--to",
        "hdf5",
    )
    convert(
        tmp_path / "folder", tmp_path / "hub", "--to", "tfhub", "--allow-differences"
    )
    convert(tmp_path / "hub", tmp_path / "again")
    assert capsys.readouterr().out.count("found every bit in its place") == 3
    for name in ("config.json", "metadata.json", "model.npz"):
        before, after = (tmp_path / f / name for f in ("preset", "again"))
        assert before.read_bytes() == after.read_bytes(), name


def test_other_readers_must_compute_the_same(preset, tmp_path):
    with pytest.raises(
        SystemExit, match=r"TF-Hub's graphs would.*sentence_boundaries=True"
    ):
        convert(preset, tmp_path / "hub", "--to", "tfhub")
    hub = FIXTURES / "skip" / "hub"
    with pytest.raises(
        SystemExit, match="AllenNLP and bilm-tf would.*boundaries=False"
    ):
        convert(hub, tmp_path / "w.hdf5")
    assert not (tmp_path / "hub").exists() and not (tmp_path / "w.hdf5").exists()
    convert(hub, tmp_path / "w.hdf5", "--allow-differences")
    options = json.loads((tmp_path / "w.options.json").read_text())
    assert options["keras_elmo"]["bilm"] == {"sentence_boundaries": False}


def test_all_that_a_hub_module_does_not_say(tmp_path):
    files = (
        FIXTURES / "noskip_tanh" / name for name in ("options.json", "weights.hdf5")
    )
    with pytest.raises(
        SystemExit, match="activation='tanh', use_skip_connections=False"
    ):
        convert(*files, tmp_path / "hub", "--to", "tfhub")


def test_checkpoint_of_bilm_tf_keeps_its_softmax(tmp_path, capsys):
    convert(CHECKPOINT, tmp_path / "preset")
    model = LanguageModel.from_preset(tmp_path / "preset", batch_size=1)
    expected = LanguageModel.from_preset(CHECKPOINT, batch_size=1)
    np.testing.assert_array_equal(model.softmax.kernel, expected.softmax.kernel)
    assert model.vocabulary == expected.vocabulary
    assert "left out" not in capsys.readouterr().out
    convert(CHECKPOINT, tmp_path / "w.hdf5")
    assert "no place for it: softmax" in capsys.readouterr().out


def test_softmax_without_its_words(tmp_path, capsys):
    folder = shutil.copytree(CHECKPOINT.parent, tmp_path / "run")
    words = (folder / "vocabulary.txt").rename(tmp_path / "words.txt")
    convert(folder / "model.ckpt-1", tmp_path / "without")
    assert "want of its words (--vocabulary)" in capsys.readouterr().out
    assert not (tmp_path / "without" / "softmax.npz").exists()
    convert(folder / "model.ckpt-1", tmp_path / "with", "--vocabulary", words)
    LanguageModel.from_preset(tmp_path / "with", batch_size=1)


def test_other_folders_are_not_replaced(preset, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("years of work")
    for to in ("preset", "tfhub"):
        with pytest.raises(SystemExit, match="`folder` should be new, empty, or"):
            convert(preset, tmp_path / "thesis", "--to", to, "--force")
    assert (tmp_path / "thesis" / "thesis.txt").read_text() == "years of work"


def test_what_is_written_is_checked(preset, tmp_path, monkeypatch):
    """A disk that turns a bit is not at hand; a writer that does is."""
    from keras_elmo.weights import mapping

    collect = mapping.collect

    def turned(table, variables):
        arrays = collect(table, variables)
        if "CNN/b_cnn_0" in arrays:
            arrays["CNN/b_cnn_0"] = np.nextafter(arrays["CNN/b_cnn_0"], np.float32(9))
        return arrays

    monkeypatch.setattr(mapping, "collect", turned)
    with pytest.raises(SystemExit, match=r"\['convolution_0/bias'\] differ"):
        convert(preset, tmp_path / "w.hdf5")


def test_info(preset, capsys):
    main(["info", preset])
    output = capsys.readouterr().out
    elmo = ElmoEmbedding.from_preset(preset)
    assert f"{elmo.bilm.count_params():,}" in output
    assert "sentence boundaries      yes" in output and "a small one" in output
    main(["info", "--json", str(FIXTURES / "skip" / "hub")])
    facts = json.loads(capsys.readouterr().out)
    assert facts["format"] == "TF-Hub" and facts["sentence boundaries"] is False
    assert facts["sizes and settings"]["units"] == 48
    assert facts["parameters"]["LSTMs"] == elmo.bilm.bilstm.count_params()


def test_info_reads_no_tensor(skip_model, tmp_path, capsys):
    """A file whose tensors are damaged is described all the same."""
    content = bytearray(skip_model.weights.read_bytes())
    with h5py.File(skip_model.weights) as file:
        offset = file["CNN_proj/b_proj"].id.get_offset()
    content[offset : offset + 4] = b"\xff\xff\xff\xff"  # NaN
    path = tmp_path / "weights.hdf5"
    path.write_bytes(content)
    main(["info", str(skip_model.options), str(path)])
    assert "HDF5" in capsys.readouterr().out
    with pytest.raises(ValueError, match="should be finite"):
        ElmoEmbedding.from_hdf5(skip_model.options, path)


def everything_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("w.hdf5", []),
        ("pair", ["--to", "hdf5"]),
        ("preset", []),
        ("hub", ["--to", "tfhub", "--allow-differences"]),
    ],
)
def test_nothing_is_replaced_without_force(
    skip_model, preset, tmp_path, name, arguments
):
    target = tmp_path / "out" / name
    convert(*skip_model.files.values(), target, *arguments)
    before = everything_in(tmp_path)
    with pytest.raises(SystemExit, match=f"(?s)'{target}.*exists.*--force"):
        convert(preset, target, *arguments)
    assert everything_in(tmp_path) == before
    convert(preset, target, *arguments, "--force")
    assert everything_in(tmp_path) != before
    again = ElmoEmbedding.from_preset(target)
    np.testing.assert_array_equal(again.mix.weights[0], MIX)


def test_weights_do_not_replace_options_either(preset, tmp_path):
    (tmp_path / "w.options.json").write_text("years of work")
    with pytest.raises(SystemExit, match=r"w\.options\.json', which exists"):
        convert(preset, tmp_path / "w.hdf5")
    assert not (tmp_path / "w.hdf5").exists()


def test_the_source_is_not_its_own_target(skip_model, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in skip_model.files.values():
        shutil.copy(file, folder)
    before = everything_in(folder)
    with pytest.raises(SystemExit, match="exists"):
        convert(folder, folder / "weights.hdf5")
    with pytest.raises(SystemExit, match="exists"):
        convert(folder, folder, "--to", "hdf5")
    assert everything_in(folder) == before


def test_two_conversions_in_one_folder(preset, skip_model, tmp_path):
    folder = tmp_path / "both"
    convert(preset, folder / "first.hdf5")
    convert(*skip_model.files.values(), folder / "second.hdf5")
    first, second = (
        ElmoEmbedding.from_preset(folder / f"{name}.hdf5")
        for name in ("first", "second")
    )
    np.testing.assert_array_equal(first.mix.weights[0], MIX)
    np.testing.assert_array_equal(second.mix.weights[0], [0, 0, 0])


def test_force_does_not_allow_differences(preset, tmp_path):
    with pytest.raises(SystemExit, match="--allow-differences"):
        convert(preset, tmp_path / "hub", "--to", "tfhub", "--force")
