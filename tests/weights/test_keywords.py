"""Arguments that users pass, and those that a file holds."""

import json
import pydoc
import shutil

import pytest

from keras_elmo import BiLM, ElmoEmbedding, presets


@pytest.mark.parametrize(
    ("model_class", "keyword", "meant"),
    [
        (ElmoEmbedding, "output_kye", "output_key"),
        (ElmoEmbedding, "allow_nans", "allow_nan"),
        (ElmoEmbedding, "warmup", "warm_up"),
        (ElmoEmbedding, "dtyp", "dtype"),
        (BiLM, "return_stat", "return_state"),
        (BiLM, "trainabel", "trainable"),
    ],
)
def test_a_keyword_with_a_typo(model_class, keyword, meant):
    expected = f"`{keyword}` is no argument of {model_class.__name__}.*`{meant}`"
    with pytest.raises(ValueError, match=expected) as error:
        model_class.from_preset("tiny_en", **{keyword: True})
    assert "config.json" not in str(error.value) and "fetch" not in str(error.value)


def test_a_keyword_that_is_near_to_none():
    with pytest.raises(ValueError, match=r"`zzz` is no argument.*zzz=\.\.\.\.$"):
        BiLM.from_preset("tiny_en", zzz=1)


def test_keywords_are_checked_before_files(tmp_path):
    for load in (BiLM.from_preset, BiLM.from_tfhub):
        with pytest.raises(ValueError, match="Did you mean `name`"):
            load(tmp_path / "nowhere", nam="mine")
    with pytest.raises(ValueError, match="Did you mean `name`"):
        BiLM.from_hdf5("nowhere", "nowhere", nam="mine")


@pytest.mark.parametrize(
    ("model_class", "arguments"),
    [
        (ElmoEmbedding, {"output_key": "elmoo"}),
        (ElmoEmbedding, {"dropout": 3.0, "tokenizer": "space"}),
        (BiLM, {"units": 7}),
        (BiLM, {"cell_clip": -1}),
    ],
)
def test_a_wrong_value_is_the_callers(model_class, arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f"`{name}`") as error:
        model_class.from_preset("tiny_en", **arguments)
    assert "config.json" not in str(error.value) and "fetch" not in str(error.value)


def test_a_wrong_value_in_the_file_is_the_files(tmp_path):
    folder = shutil.copytree(presets.locate("tiny_en"), tmp_path / "preset")
    config = json.loads((folder / "config.json").read_text())
    config["bilm"]["cell_clip"] = -1
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json should hold.*fetch the file"):
        ElmoEmbedding.from_preset(folder)
    besides = r"config\.json should.*\['sentence_boundaries'\] passed besides"
    with pytest.raises(ValueError, match=besides):
        ElmoEmbedding.from_preset(folder, sentence_boundaries=True)


def test_a_wrong_value_that_keras_does_not_name():
    """The file may be wrong too; what was passed comes first."""
    with pytest.raises(
        ValueError, match=r"\['dtype'\] passed besides\. Check what was"
    ):
        BiLM.from_preset("tiny_en", dtype="float3")


def test_help_names_the_arguments():
    text = pydoc.plain(pydoc.render_doc(ElmoEmbedding.from_preset))
    for name in (
        "output_key",
        "finetune",
        "tokenizer",
        "sentence_boundaries",
        "dropout",
        "cached_words",
        "start_state",
        "warm_up",
        "allow_nan",
        "jit_compile",
        "name",
        "dtype",
        "return_state",
    ):
        assert f"- `{name}`: " in text or f"`{name}`: Boolean" in text, name
    for load in (ElmoEmbedding.from_hdf5, BiLM.from_tfhub):
        assert "See `from_preset`" in pydoc.render_doc(load)
