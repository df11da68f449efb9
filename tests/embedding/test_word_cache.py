import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from models import skip_bilm, skip_elmo, small_bilm

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.embedding.encoded_inputs import encode_inputs
from keras_elmo.embedding.word_cache import WordCache

WORDS = ["<S>", "</S>", "the", "cat", "The", ".", "naïve", "z" * 60, "the"]


@pytest.fixture(scope="module")
def pair(frozen_elmo):
    """The same model with and without a cache."""
    return skip_elmo(cached_words=WORDS), frozen_elmo


def test_layers_are_still_the_authors(golden):
    words = ["<S>", "</S>", *golden.batches[0][0], *golden.batches[1][1][::2]]
    elmo = ElmoEmbedding.from_hdf5(**golden.files, cached_words=words)
    for batch, name in ((0, "layers_0"), (1, "fresh_1")):
        outputs = elmo(golden.sentences(batch))
        found = [outputs[k] for k in ("word_emb", "lstm_outputs1", "lstm_outputs2")]
        assert_close(found, golden.expected(name, batch))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([*WORDS, "dog", "ran", "日本", "z" * 61]), max_size=5),
        min_size=1,
        max_size=4,
    )
)
def test_cached_or_not_is_the_same(pair, rows):
    sentences = [" ".join(row) for row in rows]
    assert_close(pair[0](sentences), pair[1](sentences))


def test_vectors_come_from_the_table(pair):
    """Changed there, they are changed here; so it is the table that is used."""
    cached, plain = pair
    before = cached.word_cache.word_emb.numpy()
    cached.word_cache.word_emb.assign(before + 1)
    try:
        found = cached(["cat dog"])["word_emb"][0]
        expected = plain(["cat dog"])["word_emb"][0]
        np.testing.assert_allclose(found[0], expected[0] + 1, atol=1e-5)
        np.testing.assert_allclose(found[1], expected[1], atol=1e-5)
    finally:
        cached.word_cache.word_emb.assign(before)


def test_character_cnn_sees_the_unknown_words_only(pair):
    def num_char_ids(elmo):
        preprocessor = elmo.preprocessor
        encoded, _ = encode_inputs(
            tf.constant(["the cat . dog"]),
            preprocessor.tokenizer,
            preprocessor.sentence_boundaries,
            preprocessor.max_characters,
            elmo.word_cache,
            padded=False,
        )
        return len(encoded["char_ids"])

    # With a row of 'no token' each: `dog`; or all four words, `<S>` and `</S>`.
    assert [num_char_ids(elmo) for elmo in pair] == [2, 7]


@pytest.mark.slow
def test_under_xla(pair):
    config = {**pair[0].get_config(), "jit_compile": True}
    elmo = ElmoEmbedding.from_config(config)
    elmo.set_weights(pair[0].get_weights())
    for sentences in (["the cat", "a dog ran"], ["the"], ["dog"], [""]):
        assert_close(elmo(sentences), pair[1](sentences))


def test_in_a_model_that_is_saved_and_exported(pair, tmp_path):
    text = keras.Input(shape=(), dtype="string")
    config = {**pair[0].get_config(), "output_key": "elmo"}
    elmo = ElmoEmbedding.from_config(config)
    elmo.set_weights(pair[0].get_weights())
    model = keras.Model(text, elmo(text))
    sentences = tf.constant(["the cat . dog", "ran"])
    expected = pair[1](sentences)["elmo"]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close([loaded(sentences)], [expected])
    elmo.export(tmp_path / "saved_model")
    served = tf.saved_model.load(str(tmp_path / "saved_model"))
    outputs = served.signatures["default"](strings=sentences)
    assert_close([outputs["elmo"]], [expected])


def test_trained_are_the_mix_and_what_finetune_names(pair):
    assert len(pair[0].trainable_variables) == 2
    elmo = ElmoEmbedding(skip_bilm(), cached_words=["a"])
    elmo.trainable = False
    elmo.trainable = True
    assert len(elmo.trainable_variables) == 2
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(elmo(["a b"])["elmo"] ** 2)
    assert all(g is not None for g in tape.gradient(loss, elmo.trainable_variables))


def test_stored_with_a_preset(pair, tmp_path):
    pair[0].save_to_preset(tmp_path / "preset")
    assert (tmp_path / "preset" / "word_cache.npz").is_file()
    loaded = ElmoEmbedding.from_preset(tmp_path / "preset")
    assert loaded.word_cache.words == WORDS[:-1]
    np.testing.assert_array_equal(
        loaded.word_cache.word_emb, pair[0].word_cache.word_emb
    )
    assert (
        ElmoEmbedding.from_preset(tmp_path / "preset", cached_words=None).word_cache
        is None
    )
    assert (
        ElmoEmbedding.from_preset(tmp_path / "preset", finetune="all").word_cache
        is None
    )
    BiLM.from_preset(tmp_path / "preset")
    (tmp_path / "preset" / "word_cache.npz").unlink()
    computed = ElmoEmbedding.from_preset(tmp_path / "preset")
    assert_close([computed.word_cache.word_emb], [pair[0].word_cache.word_emb])


def test_command(pair, tmp_path, capsys):
    pair[1].save_to_preset(tmp_path / "plain")
    (tmp_path / "words.txt").write_text("the\ncat\n")
    words = ["--cache-words", str(tmp_path / "words.txt")]
    main(["convert", str(tmp_path / "plain"), str(tmp_path / "cached"), *words])
    loaded = ElmoEmbedding.from_preset(tmp_path / "cached")
    assert loaded.word_cache.words == ["the", "cat"]
    assert_close(loaded(["the dog"]), pair[1](["the dog"]))
    # The words go along in other formats, and their vectors are computed there.
    main(["convert", str(tmp_path / "cached"), str(tmp_path / "w.hdf5")])
    options = json.loads((tmp_path / "w.options.json").read_text())
    assert options["keras_elmo"]["embedding"]["cached_words"] == ["the", "cat"]
    assert "left out" not in capsys.readouterr().out


def test_half_precision(pair):
    elmo = skip_elmo(cached_words=WORDS, dtype="mixed_bfloat16")
    outputs = elmo(["the cat . dog"])["word_emb"]
    assert outputs.dtype == "bfloat16"
    expected = pair[1](["the cat . dog"])["word_emb"]
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, atol=0.2)


@pytest.mark.parametrize("words", [[], [1], ["a", None], [b"a"]])
def test_what_are_no_words(words):
    with pytest.raises(ValueError, match="`cached_words` should be a list of strings"):
        ElmoEmbedding(small_bilm(), cached_words=words)


def test_not_when_the_character_cnn_is_trained():
    with pytest.raises(ValueError, match="`cached_words` can't be used with `finetune"):
        ElmoEmbedding(small_bilm(), finetune="all", cached_words=["a"])


def test_a_stored_cache_that_does_not_fit(pair, tmp_path):
    pair[0].save_to_preset(tmp_path / "preset")
    path = tmp_path / "preset" / "config.json"
    config = json.loads(path.read_text())
    config["embedding"]["cached_words"].append("one more")
    path.write_text(json.dumps(config))
    with pytest.raises(
        ValueError, match=r"word_cache.*\n.*\n.*word_emb should be \(9, 12\)"
    ):
        ElmoEmbedding.from_preset(tmp_path / "preset")


def test_config_of_the_layer_alone():
    cache = WordCache(["a", "b"], projection_dim=2, max_characters=50)
    again = WordCache.from_config(cache.get_config())
    assert again(tf.constant(["b", "", "c"])).numpy().tolist() == [1, -1, -1]
