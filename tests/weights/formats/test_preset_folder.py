import json

import numpy as np
import pytest
from golden import assert_close
from models import small_bilm, unusual_bilm

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.vocabulary import Vocabulary

SENTENCES = ["the cat sat", "dogs"]


def used_weights(bilm):
    """All but the row of 'no token', which presets do not keep."""
    embeddings, *others = bilm.get_weights()
    return [embeddings[1:], *others]


def test_embedding_comes_back_with_its_mix(tmp_path):
    elmo = ElmoEmbedding(unusual_bilm(), tokenizer="whitespace", do_layer_norm="row")
    elmo.mix.set_weights([np.array([0.1, -0.7]), np.array(1.7)])
    elmo.save_to_preset(tmp_path / "preset", metadata={"licence": "CC0"})
    loaded = ElmoEmbedding.from_preset(tmp_path / "preset")
    assert_close(loaded(SENTENCES), elmo(SENTENCES), atol=0)
    assert loaded.tokenizer == "whitespace" and loaded.sentence_boundaries
    assert loaded.bilm.architecture() == elmo.bilm.architecture()
    metadata = json.loads((tmp_path / "preset" / "metadata.json").read_text())
    assert metadata["licence"] == "CC0"


def test_arguments_replace_those_of_the_preset(tmp_path):
    ElmoEmbedding(unusual_bilm()).save_to_preset(tmp_path / "preset")
    elmo = ElmoEmbedding.from_preset(
        str(tmp_path / "preset"),
        output_key="elmo",
        tokenizer="whitespace",
        finetune="lstm",
        sentence_boundaries=False,
        dtype="mixed_bfloat16",
        name="mine",
    )
    assert elmo.name == "mine" and elmo.finetune == "lstm"
    assert not elmo.sentence_boundaries and not elmo.bilm.sentence_boundaries
    outputs = elmo(["a\tb"])
    assert outputs.dtype.name == "bfloat16" and outputs.shape == (1, 2, 6)


def test_bilm_alone(tmp_path):
    bilm = unusual_bilm(return_state=True)
    bilm.save_to_preset(tmp_path / "preset")
    loaded = BiLM.from_preset(tmp_path / "preset")
    assert not loaded.return_state
    assert_close(used_weights(loaded), used_weights(bilm), atol=0)
    again = ElmoEmbedding.from_preset(tmp_path / "preset")
    assert_close(again(SENTENCES), ElmoEmbedding(loaded)(SENTENCES), atol=0)


@pytest.mark.parametrize("dtype, precision", [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_half_precision(tmp_path, dtype, precision):
    elmo = ElmoEmbedding(small_bilm(units=200, projection_dim=40))
    elmo.save_to_preset(tmp_path / "full")
    elmo.save_to_preset(tmp_path / "half", dtype=dtype)
    loaded = ElmoEmbedding.from_preset(tmp_path / "half")
    assert loaded.dtype == "float32"
    for before, after in zip(
        used_weights(elmo.bilm), used_weights(loaded.bilm), strict=True
    ):
        # The smallest numbers of float16 are less precise.
        np.testing.assert_allclose(after, before, rtol=precision, atol=1e-7)
    full, half = (
        (tmp_path / name / "model.npz").stat().st_size for name in ("full", "half")
    )
    assert half < 0.6 * full


def test_unknown_dtype_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="`dtype` should be one of.*'int8'"):
        unusual_bilm().save_to_preset(tmp_path / "preset", dtype="int8")
    assert list(tmp_path.iterdir()) == []


def test_language_model_comes_back_with_its_vocabulary(tmp_path):
    vocabulary = Vocabulary(["<S>", "</S>", "<UNK>", "the", "cat"])
    model = LanguageModel(unusual_bilm(), vocabulary, batch_size=2)
    model.softmax.bias.assign([1.0, 2.0, 3.0, 4.0, 5.0])
    model.save_to_preset(tmp_path / "preset")
    loaded = LanguageModel.from_preset(tmp_path / "preset", batch_size=3, seed=2)
    assert loaded.vocabulary == vocabulary
    assert_close(loaded.softmax_variables(), model.softmax_variables(), atol=0)
    with pytest.raises(FileExistsError, match="overwrite"):
        model.save_to_preset(tmp_path / "preset")
    model.save_to_preset(tmp_path / "preset", overwrite=True)
    # Who only embeds needs neither file.
    (tmp_path / "preset" / "softmax.npz").unlink()
    (tmp_path / "preset" / "vocabulary.txt").unlink()
    ElmoEmbedding.from_preset(tmp_path / "preset")
    with pytest.raises(FileNotFoundError, match=r"vocabulary\.txt"):
        LanguageModel.from_preset(tmp_path / "preset", batch_size=3)


def test_folders_of_development_versions(tmp_path):
    unusual_bilm().save_to_preset(tmp_path / "preset")
    weights = tmp_path / "preset" / "model.npz"
    weights.rename(weights.with_name("model.weights.h5"))
    with pytest.raises(
        ValueError, match=r"model\.npz.*model\.weights\.h5.*with the version that wrote"
    ):
        BiLM.from_preset(tmp_path / "preset")


def test_names_that_are_no_preset(tmp_path):
    with pytest.raises(FileNotFoundError, match="'tiny_fr', which is none"):
        ElmoEmbedding.from_preset("tiny_fr")
    with pytest.raises(ValueError, match="which is none of these"):
        BiLM.from_preset(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"bilm": 1}', "\xff"])
def test_broken_config(tmp_path, content):
    unusual_bilm().save_to_preset(tmp_path / "preset")
    (tmp_path / "preset" / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"config\.json.*could not be read"):
        BiLM.from_preset(tmp_path / "preset")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"bilm": {}},
            "hold the arguments of BiLM.*missing a required argument: 'filters'",
        ),
        ({"mix": {"weights": [0.0, 0.0]}}, r"be JSON.*'mix' does not hold just"),
        ({"embedding": "space"}, "be JSON.*'embedding' is no object"),
    ],
)
def test_config_that_lacks_something(tmp_path, part, message):
    unusual_bilm().save_to_preset(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **part}))
    with pytest.raises(ValueError, match=rf"config\.json should.*{message}"):
        ElmoEmbedding.from_preset(tmp_path)


def test_weights_that_do_not_fit(tmp_path):
    unusual_bilm().save_to_preset(tmp_path / "preset")
    path = tmp_path / "preset" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({"bilm": {**config["bilm"], "units": 7}}))
    with pytest.raises(ValueError, match=r"lstm_0_0/kernel should be \(3, 28\), is"):
        BiLM.from_preset(tmp_path / "preset")


def test_other_folders_are_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="`folder` should be new, empty, or a preset"):
        unusual_bilm().save_to_preset(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    for _ in range(2):
        unusual_bilm().save_to_preset(tmp_path / "preset", overwrite=True)


def test_model_card_says_what_is_known_and_what_is_not(tmp_path):
    metadata = {
        "name": "mine",
        "license": "CC0",
        "data": ["novels", "one\n# line"],
        "a`b\n# c": None,
        "trained_from": {"source": ["x"], "perplexity": {"both": 9.5}},
        "is_new": True,
    }
    small_bilm().save_to_preset(tmp_path / "preset", metadata)
    card = (tmp_path / "preset" / "README.md").read_text()
    assert card.startswith("# mine\n") and "- `projection_dim`: 4\n" in card
    assert "- `license`: CC0\n- `command`: not stated\n" in card
    assert "- `data`: novels; one # line\n" in card
    assert "- `ab # c`: not stated\n" in card and "- `is_new`: true\n" in card
    nested = (
        "- `trained_from`:\n  - `source`: x\n  - `perplexity`:\n    - `both`: 9.5\n"
    )
    assert nested in card
    assert [line for line in card.splitlines() if line.startswith("#")] == [
        "# mine",
        "## Sizes",
        "## Facts",
    ]
