import json
import shutil
import tarfile

import checkpoint_writer as writer
import numpy as np
import pytest
from golden import FIXTURES, Golden, assert_close

from keras_elmo import BiLM, ElmoEmbedding

# What a checkpoint can't say of the two models that are not made as Google's.
OPTIONS = {"noskip_tanh", "clipped"}


def module(golden):
    return FIXTURES / golden.case / "hub"


def options(golden):
    return golden.options if golden.case in OPTIONS else None


def tensors(folder):
    return writer.tensors(folder / "variables" / "variables")


def write_module(folder, arrays):
    (folder / "variables").mkdir(parents=True)
    writer.save(folder / "variables" / "variables", arrays)
    return folder


def test_layers_are_the_authors(golden):
    elmo = ElmoEmbedding.from_tfhub(module(golden), options=options(golden))
    assert not elmo.sentence_boundaries
    outputs = elmo(golden.sentences(0))
    names = ["word_emb", "lstm_outputs1", "lstm_outputs2"]
    mask = golden.arrays["mask_0"][..., None]
    expected = [golden.arrays[f"bare_{name}"] * mask for name in names]
    assert_close([outputs[name] for name in names], expected)

    weights = np.exp(golden.arrays["mix_weights"])
    weights = weights / weights.sum() * golden.arrays["mix_scaling"]
    expected[0] = np.concatenate([expected[0]] * 2, axis=-1)
    mixed = sum(w * layer for w, layer in zip(weights, expected, strict=True))
    assert_close([outputs["elmo"]], [mixed])


def test_weights_are_those_of_hdf5_bit_for_bit(golden):
    elmo = ElmoEmbedding.from_tfhub(module(golden), options=options(golden))
    bilm = BiLM.from_hdf5(**golden.files)
    for left, right in zip(elmo.bilm.variables, bilm.variables, strict=True):
        np.testing.assert_array_equal(left, right)
    for name, variable in (("weights", 0), ("scaling", 1)):
        np.testing.assert_array_equal(
            elmo.mix.weights[variable], golden.arrays[f"mix_{name}"]
        )


def test_without_options_sizes_are_those_of_the_tensors(golden):
    bilm = BiLM.from_tfhub(module(golden))
    expected = BiLM.from_hdf5(**golden.files).architecture()
    for key in ("filters", "units", "projection_dim", "num_layers", "embedding_dim"):
        assert bilm.architecture()[key] == expected[key]
    assert bilm.num_highway_layers == expected["num_highway_layers"]
    assert bilm.activation.__name__ == "relu" and bilm.use_skip_connections
    assert bilm.cell_clip == bilm.projection_clip == 3


def test_variables_alone_and_archives(skip_model, tmp_path):
    folder = tmp_path / "elmo_2"
    shutil.copytree(module(skip_model), folder)
    (folder / "saved_model.pb").write_bytes(b"never read")
    expected = ElmoEmbedding.from_tfhub(module(skip_model))(["the cat"])["elmo"]
    for name, inside in (("flat.tar.gz", "."), ("wrapped.tgz", "elmo_2")):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(folder, inside)
    for source in (
        folder,
        folder / "variables",
        tmp_path / "flat.tar.gz",
        str(tmp_path / "wrapped.tgz"),
    ):
        elmo = ElmoEmbedding.from_tfhub(source)
        np.testing.assert_array_equal(elmo(["the cat"])["elmo"], expected)
        assert ElmoEmbedding.from_preset(source).mix.num_layers == 3


def test_deeppavlov(skip_model, tmp_path):
    """Its names, sentence boundaries, and a state that is none of the weights."""
    arrays = tensors(module(skip_model))
    arrays["aggregation/elmo_output_ELMo_W"] = arrays.pop("aggregation/weights")
    scaling = arrays.pop("aggregation/scaling")
    arrays["aggregation/elmo_output_ELMo_gamma"] = scaling[None]
    for index in range(8):
        name = f"Variable_{index}" if index else "Variable"
        arrays[name] = np.ones([2, (48, 12)[index % 2]], "float32")
    arrays["global_step"] = np.int64(3)
    elmo = ElmoEmbedding.from_tfhub(write_module(tmp_path / "ru", arrays))
    assert elmo.sentence_boundaries and elmo.bilm.sentence_boundaries
    golden = Golden("skip")
    outputs = elmo(golden.sentences(0))
    names = ["word_emb", "lstm_outputs1", "lstm_outputs2"]
    assert_close([outputs[name] for name in names], golden.expected("layers_0", 0))
    assert elmo.mix.weights[1].numpy() == np.float32(0.8)


@pytest.mark.parametrize("boundaries", [False, True])
def test_round_trip_through_all_formats_is_bit_identical(golden, boundaries, tmp_path):
    elmo = ElmoEmbedding.from_tfhub(
        module(golden),
        options=options(golden),
        tokenizer="whitespace",
        sentence_boundaries=boundaries,
    )
    before = elmo.settings()
    elmo.save_to_preset(tmp_path / "first", metadata={"corpus": "none"})
    ElmoEmbedding.from_preset(tmp_path / "first").to_hdf5(
        tmp_path / "o.json", tmp_path / "w.hdf5"
    )
    ElmoEmbedding.from_hdf5(tmp_path / "o.json", tmp_path / "w.hdf5").to_tfhub(
        tmp_path / "hub"
    )
    last = ElmoEmbedding.from_tfhub(tmp_path / "hub")
    last.save_to_preset(tmp_path / "last", metadata={"corpus": "none"})
    # What is lossless may still be wrong twice.
    assert (
        last.settings() == before and before["embedding"]["tokenizer"] == "whitespace"
    )
    assert before["mix"]["weights"] == golden.arrays["mix_weights"].tolist()
    for name in ("config.json", "metadata.json", "model.npz"):
        first, second = (tmp_path / f / name for f in ("first", "last"))
        assert first.read_bytes() == second.read_bytes(), name


def test_what_google_would_assume_is_not_written(skip_model, tmp_path):
    elmo = ElmoEmbedding.from_tfhub(module(skip_model))
    elmo.to_tfhub(tmp_path / "hub")
    assert [path.name for path in (tmp_path / "hub").iterdir()] == ["variables"]
    written = tensors(tmp_path / "hub")
    for name, array in tensors(module(skip_model)).items():
        np.testing.assert_array_equal(written.pop(name), array, err_msg=name)
    assert not written


def test_unknown_tensors_are_named(skip_model, tmp_path):
    arrays = {**tensors(module(skip_model)), "bilm/extra": np.zeros(2, "float32")}
    folder = write_module(tmp_path / "module", arrays)
    with pytest.raises(ValueError, match=r"unexpected: bilm/extra \(2,\)"):
        BiLM.from_tfhub(folder)
    other = {"dense/kernel": np.zeros([2, 2], "float32")}
    folder = write_module(tmp_path / "other", other)
    with pytest.raises(ValueError, match="checkpoint of ELMo should hold.*bilm/"):
        BiLM.from_tfhub(folder)


def test_no_module(tmp_path):
    with pytest.raises(FileNotFoundError, match="variables/variables.index"):
        BiLM.from_tfhub(tmp_path)


def test_options_that_do_not_fit(skip_model):
    content = json.loads(skip_model.options.read_text())
    content["lstm"]["dim"] = 24
    with pytest.raises(ValueError, match=r"shape: bilm/RNN_0.* should be \(24, 96\)"):
        BiLM.from_tfhub(module(skip_model), options=content)


def test_nothing_is_replaced_unless_asked(skip_model, tmp_path):
    bilm = BiLM.from_hdf5(**skip_model.files)
    for overwrite in (False, True):
        bilm.to_tfhub(tmp_path / "hub", overwrite=overwrite)
    with pytest.raises(FileExistsError, match="hub', which exists.*`overwrite=True`"):
        ElmoEmbedding(bilm).to_tfhub(tmp_path / "hub")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="`folder` should be new, empty, or"):
        bilm.to_tfhub(tmp_path / "thesis", overwrite=True)


@pytest.mark.parametrize("load", [ElmoEmbedding.from_tfhub, BiLM.from_preset])
def test_an_exported_model_is_no_module(skip_model, tmp_path, load):
    ElmoEmbedding.from_hdf5(**skip_model.files).export(tmp_path / "exported")
    with pytest.raises(ValueError, match=r"exported SavedModel.*tf\.saved_model\.load"):
        load(tmp_path / "exported")


def test_a_checkpoint_without_layers(skip_model, tmp_path):
    arrays = {"bilm/char_embed": np.zeros([262, 4], "float32")}
    folder = write_module(tmp_path / "module", arrays)
    with pytest.raises(ValueError, match="should hold bilm/char_embed") as error:
        BiLM.from_tfhub(folder)
    assert "list index" not in str(error.value)
