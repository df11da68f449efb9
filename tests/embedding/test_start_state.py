import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from models import skip_elmo

from keras_elmo import ElmoEmbedding, ElmoPreprocessor
from keras_elmo.cli.main import main

TEXT = ["The cat sat on the mat .", "It was late .", "Dogs"]
SENTENCES = ["a b c d", "x", ""]


@pytest.fixture(scope="module")
def warm():
    return skip_elmo(start_state="warm", warm_up=TEXT)


def test_it_is_the_state_that_is_carried(warm, frozen_elmo):
    """Computed with the biLM alone, sentence by sentence."""
    bilm, preprocessor = (
        frozen_elmo.bilm.copy(return_state=True),
        ElmoPreprocessor(sentence_boundaries=True),
    )
    state = None
    for sentence in TEXT:
        _, state = bilm(preprocessor([sentence]), initial_state=state)
    for sentence in SENTENCES[:2]:
        layers, _ = bilm(preprocessor([sentence]), initial_state=state)
        outputs = warm([sentence])
        found = [outputs[k] for k in ("word_emb", "lstm_outputs1", "lstm_outputs2")]
        assert_close(found, [layer[:, 1:-1] for layer in layers])


def test_it_changes_what_depends_on_context(warm, frozen_elmo):
    change = np.abs(warm(["a b"])["elmo"] - frozen_elmo(["a b"])["elmo"]).max()
    assert change > 1e-2
    np.testing.assert_array_equal(
        warm(["a b"])["word_emb"], frozen_elmo(["a b"])["word_emb"]
    )


def test_every_time_the_same_and_in_any_batch(warm):
    together = warm(SENTENCES)["elmo"]
    for row, sentence in enumerate(SENTENCES):
        alone = warm([sentence])["elmo"][0]
        assert_close([together[row, : alone.shape[0]]], [alone])
    np.testing.assert_array_equal(warm(SENTENCES)["elmo"], together)
    assert not np.any(together[2]) and not np.any(together[1, 1:])


def test_zeros_by_default():
    cold = skip_elmo()
    assert cold.warm_state is None and cold.get_config()["start_state"] == "zeros"
    state = ElmoEmbedding(cold.bilm, start_state="warm")
    np.testing.assert_array_equal(state(["a b"])["elmo"], cold(["a b"])["elmo"])


def test_saved_in_keras_files_presets_and_exports(warm, tmp_path):
    expected = warm(SENTENCES)["default"]
    text = keras.Input(shape=(), dtype="string")
    config = {**warm.get_config(), "output_key": "default"}
    elmo = ElmoEmbedding.from_config(config)
    elmo.set_weights(warm.get_weights())
    model = keras.Model(text, elmo(text))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close([loaded(tf.constant(SENTENCES))], [expected])

    warm.save_to_preset(tmp_path / "preset")
    preset = ElmoEmbedding.from_preset(tmp_path / "preset", start_state="warm")
    assert_close([preset(SENTENCES)["default"]], [expected])
    assert ElmoEmbedding.from_preset(tmp_path / "preset").warm_state is None

    warm.export(tmp_path / "saved_model")
    served = tf.saved_model.load(str(tmp_path / "saved_model"))
    outputs = served.signatures["default"](strings=tf.constant(SENTENCES))
    assert_close([outputs["default"]], [expected])


def test_command_stores_it(frozen_elmo, warm, tmp_path, capsys):
    frozen_elmo.save_to_preset(tmp_path / "cold")
    (tmp_path / "text.txt").write_text("\n".join(TEXT) + "\n")
    text = ["--warm-up", str(tmp_path / "text.txt")]
    main(["convert", str(tmp_path / "cold"), str(tmp_path / "warm"), *text])
    elmo = ElmoEmbedding.from_preset(tmp_path / "warm", start_state="warm")
    assert_close([elmo(SENTENCES)["elmo"]], [warm(SENTENCES)["elmo"]])
    main(["convert", str(tmp_path / "warm"), str(tmp_path / "w.hdf5")])
    assert "no place for it: start_state" in capsys.readouterr().out


@pytest.mark.slow
def test_under_xla_and_finetuning(warm):
    config = {**warm.get_config(), "jit_compile": True, "finetune": "lstm"}
    elmo = ElmoEmbedding.from_config(config)
    elmo.set_weights(warm.get_weights())
    assert_close([elmo(SENTENCES)["elmo"]], [warm(SENTENCES)["elmo"]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(elmo(SENTENCES)["elmo"])
    gradients = tape.gradient(loss, elmo.trainable_variables)
    assert len(gradients) == 2 + 16 and all(g is not None for g in gradients)


def test_what_is_missing_is_told(tmp_path):
    cold = skip_elmo()
    cold.save_to_preset(tmp_path / "cold")
    with pytest.raises(FileNotFoundError, match="come with a start_state.*--warm-up"):
        ElmoEmbedding.from_preset(tmp_path / "cold", start_state="warm")
    with pytest.raises(ValueError, match="`warm_up` needs .*start_state='zeros'"):
        cold.warm_up(TEXT)
    for sentences in ([], "one string"):
        with pytest.raises(ValueError, match="`warm_up` needs .* a list of sentences"):
            ElmoEmbedding(cold.bilm, start_state="warm").warm_up(sentences)
    with pytest.raises(ValueError, match="`start_state` should be one of"):
        ElmoEmbedding(cold.bilm, start_state="hot")
