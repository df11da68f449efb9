"""Models of ELMoForManyLangs against what its own code computes of them."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch_files
from golden import FIXTURES, assert_close
from models import small_bilm
from refusal import refused, takes_little

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.info import describe
from keras_elmo.cli.main import main
from keras_elmo.compat.allennlp import Elmo, ElmoEmbedder
from keras_elmo.compat.simple_elmo import ElmoModel
from keras_elmo.pretraining import LanguageModel, Vocabulary
from keras_elmo.text.token_vocabulary import TokenVocabulary
from keras_elmo.weights import mapping
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.variables import named_variables

FOLDER = FIXTURES / "elmo_for_many_langs"
SENTENCES = json.loads((FOLDER / "sentences.json").read_text("utf-8"))
with np.load(FOLDER / "golden.npz") as arrays:
    GOLDEN = dict(arrays)
NAMES = ("word_emb", "lstm_outputs1", "lstm_outputs2", "elmo")


def expected(number):
    """The layers of a sentence, and their average, which they return by default."""
    word_emb, *outputs = GOLDEN[f"layers_{number}"]
    return [word_emb[:, :6], *outputs, GOLDEN[f"average_{number}"]]


def check(elmo):
    """Expects the recorded numbers of all sentences, in one batch."""
    outputs = elmo(SENTENCES)
    for number, tokens in enumerate(SENTENCES):
        found = [outputs[name][number, : len(tokens)] for name in NAMES]
        assert_close(found, expected(number), where=f"sentence {number}")


def check_same(other, elmo):
    assert_close(other.get_weights(), elmo.get_weights(), atol=0)
    assert other.token_vocabulary.settings() == elmo.token_vocabulary.settings()
    assert other.bilm.architecture() == elmo.bilm.architecture()


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedding.from_preset(FOLDER)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "xx.model")


def change(folder, section, **values):
    """Changes the file of sizes; None leaves a key out."""
    path = folder / "cnn_sample.json"
    sizes = json.loads(path.read_text())
    sizes[section] |= values
    sizes[section] = {k: v for k, v in sizes[section].items() if v != "left out"}
    path.write_text(json.dumps(sizes))


def test_all_layers_are_theirs(elmo):
    check(elmo)
    assert elmo.sentence_boundaries and elmo.bilm.num_words == 13


def test_both_clips_act(elmo):
    """Or the numbers would not tell that they are applied."""
    assert np.isclose(np.abs(GOLDEN["layers_0"][1]), 0.4).mean() > 0.1
    free = elmo.bilm.copy(cell_clip=None)
    _, outputs, _ = free(elmo.preprocessor(SENTENCES))
    assert np.abs(outputs[0, 1:8] - GOLDEN["layers_0"][1]).max() > 0.01


def test_one_sentence_alone(elmo):
    for number, tokens in enumerate(SENTENCES):
        outputs = elmo([" ".join(tokens)])
        assert_close([outputs[name][0] for name in NAMES], expected(number))


def test_many_sentences(elmo):
    vectors = elmo.encode(SENTENCES, output_key="elmo", progress=False)
    assert_close(vectors, [GOLDEN[f"average_{n}"] for n in range(len(SENTENCES))])


def test_integers(elmo):
    dense = elmo.preprocessor.from_config(
        {**elmo.preprocessor.get_config(), "distinct": False}
    )
    for preprocessor in (elmo.preprocessor, dense):
        outputs = elmo(preprocessor(SENTENCES))
        for number, tokens in enumerate(SENTENCES):
            found = [outputs[name][number, : len(tokens)] for name in NAMES]
            assert_close(found, expected(number))
    dataset = tf.data.Dataset.from_tensors([" ".join(SENTENCES[0])]).map(dense)
    assert dataset.element_spec["char_ids"].shape.as_list() == [1, None, 15]
    (encoded,) = dataset
    assert_close(elmo(encoded)["elmo"][0], GOLDEN["average_0"])
    with pytest.raises(ValueError, match=r"should be in 0\.\.287. Received: at row 1"):
        wrong = tf.tensor_scatter_nd_update(encoded["char_ids"], [[0, 1, 3]], [288])
        elmo(
            {
                **encoded,
                "char_ids": tf.concat([encoded["char_ids"], wrong], 0),
                "sequence_len": tf.repeat(encoded["sequence_len"], 2),
            }
        )
    with pytest.raises(ValueError, match=r"Numbers of words .* 0\.\.13"):
        wrong = tf.tensor_scatter_nd_update(encoded["char_ids"], [[0, 1, 0]], [14])
        elmo({**encoded, "char_ids": wrong})
    with pytest.raises(ValueError, match="at least 4 numbers a token"):
        elmo({**encoded, "char_ids": encoded["char_ids"][..., :3]})
    with pytest.raises(ValueError, match="should be between <S> and </S>"):
        elmo({**encoded, "sequence_len": encoded["sequence_len"] - 1})


def test_archive(elmo, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "144"), "zip", FOLDER)
    check_same(ElmoEmbedding.from_preset(packed), elmo)
    (tmp_path / "inside").mkdir()
    shutil.copytree(FOLDER, tmp_path / "inside" / "en.model")
    packed = shutil.make_archive(str(tmp_path / "145"), "gztar", tmp_path / "inside")
    assert open_weights(packed).format == "ELMoForManyLangs"


def test_preset_and_keras_file(elmo, tmp_path):
    elmo.save_to_preset(tmp_path / "preset")
    text = keras.Input((), dtype="string")
    again = ElmoEmbedding.from_preset(tmp_path / "preset", output_key="default")
    check_same(again, elmo)
    model = keras.Model(text, again(text))
    model.save(tmp_path / "model.keras")
    sentence = np.array([" ".join(SENTENCES[0])], dtype=object)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    mean = GOLDEN["average_0"].mean(axis=0)
    assert_close(loaded.predict(sentence, verbose=0)[0], mean)


def test_cached_words(elmo):
    words = ["<S>", "the", "cat", "averyverylongword"]
    cached = ElmoEmbedding.from_preset(FOLDER, cached_words=words)
    unknown = cached.token_vocabulary(tf.constant(words), characters=14)
    vectors = elmo.bilm.char_cnn(unknown)
    assert_close(cached.word_cache.word_emb, vectors, atol=1e-6)
    check(cached)


@pytest.mark.slow
def test_exported(elmo, tmp_path):
    elmo.export(tmp_path / "saved")
    served = tf.saved_model.load(tmp_path / "saved").signatures["default"]
    outputs = served(strings=tf.constant([" ".join(SENTENCES[1])]))
    assert_close([outputs[name][0] for name in NAMES], expected(1))


def test_commands(elmo, tmp_path, capsys):
    main(["convert", str(FOLDER), str(tmp_path / "preset")])
    check_same(ElmoEmbedding.from_preset(tmp_path / "preset"), elmo)
    for source in (FOLDER, tmp_path / "preset"):
        main(["info", str(source)])
        assert "281 characters, 13 words" in capsys.readouterr().out
    assert describe([str(FOLDER)])["parameters"]["words"] == 14 * 4
    with pytest.raises(SystemExit, match="should read bytes.*Save it as a preset"):
        arguments = [str(FOLDER), str(tmp_path / "model.hdf5")]
        main(["convert", *arguments, "--allow-differences"])
    assert not (tmp_path / "model.hdf5").exists()


def test_formats_without_a_place_for_it(elmo, tmp_path):
    with refused("A model in HDF5 should read bytes", "288 characters and 13 words"):
        elmo.to_hdf5(tmp_path / "options.json", tmp_path / "weights.hdf5")
    with refused("A model in TF-Hub should read bytes"):
        elmo.to_tfhub(tmp_path / "hub")
    assert not list(tmp_path.iterdir())
    with refused("`self` should be a model that reads the bytes", "13 words"):
        elmo.bilm.save_to_preset(tmp_path / "preset")
    assert not list(tmp_path.iterdir())


def test_what_reads_bytes_refuses_it(elmo):
    message = "should be a model that reads the bytes of tokens"
    vocabulary = Vocabulary(["<S>", "</S>", "<UNK>"])
    with refused(f"`bilm` {message}", "288 characters and 13 words"):
        LanguageModel(elmo.bilm, vocabulary, batch_size=2)
    with refused(f"`preset` {message}"):
        LanguageModel.from_preset(FOLDER)
    with refused(f"`module` {message}"):
        Elmo(FOLDER)
    with pytest.raises(SystemExit, match=f"`--from` {message}"):
        main(["train", "--from", str(FOLDER), "--text", __file__, "--output", "none"])


@pytest.mark.parametrize("stateful", [False, True])
def test_interfaces_of_others(stateful):
    layers = ElmoEmbedder(FOLDER, stateful=stateful).embed_batch(SENTENCES)
    model = ElmoModel(stateful=stateful)
    model.load(FOLDER)
    means = model.get_elmo_vectors(SENTENCES, warmup=False)
    for number, tokens in enumerate(SENTENCES):
        assert_close(layers[number], GOLDEN[f"layers_{number}"])
        assert_close(means[number, : len(tokens)], GOLDEN[f"average_{number}"])


def test_few_characters_are_no_bytes():
    vocabulary = TokenVocabulary("abc")
    bilm = small_bilm(num_characters=vocabulary.num_characters)
    with refused("`token_vocabulary` should have the 263 characters", "(bytes)"):
        ElmoEmbedding(bilm)
    with refused("a vocabulary of 263 characters and 0 words"):
        bilm.require_bytes("bilm")
    assert ElmoEmbedding(bilm, token_vocabulary={"characters": "abc"})(["a"])


@pytest.mark.slow
def test_integers_compile(elmo):
    """The ids of boundaries are constants, as XLA can't look words up."""
    names = ("char_ids", "token_index", "sequence_len")
    encoded = {name: elmo.preprocessor(SENTENCES)[name] for name in names}
    compiled = tf.function(elmo, jit_compile=True)
    outputs = compiled({**encoded})["elmo"]
    for number, tokens in enumerate(SENTENCES):
        assert_close(outputs[number, : len(tokens)], GOLDEN[f"average_{number}"])


def test_a_vocabulary_of_another_model(elmo):
    vocabulary = elmo.token_vocabulary.settings()
    with refused("the 288 characters and 13 words of `bilm`", "262 and 0 (bytes)"):
        ElmoEmbedding(elmo.bilm)
    with refused("the 262 characters and 0 words of `bilm`", "288 and 13 (a vocab"):
        ElmoEmbedding(small_bilm(), token_vocabulary=vocabulary)
    with refused("should be a `TokenVocabulary`, a dictionary"):
        ElmoEmbedding(elmo.bilm, token_vocabulary="abc")
    with refused("should hold 'characters' and 'words'", "['size']"):
        ElmoEmbedding(elmo.bilm, token_vocabulary={"size": 3})


def test_the_table_is_its_own_inverse(elmo):
    """What is written by the table is what was read, to the last bit but the bias'."""
    stored = open_weights(FOLDER)
    written = mapping.collect(stored.table, named_variables(elmo.bilm))
    assert set(written) == set(stored.arrays)
    for name, array in stored.arrays.items():
        np.testing.assert_allclose(written[name], array[...], rtol=0, atol=1e-6)


def test_files_of_later_versions_of_pytorch(elmo, folder):
    for name in ("encoder", "token_embedder"):
        path = folder / f"{name}.pkl"
        arrays = open_weights(folder).arrays
        inside = {
            n: a[...]
            for n, a in arrays.items()
            if ("layer_" in n) == (name == "encoder")
        }
        torch_files.write_zip(path, inside)
    check_same(ElmoEmbedding.from_preset(folder), elmo)


def test_sizes_that_are_in_their_source(elmo, folder):
    """The published archives name a file that most of them lack."""
    (folder / "config.json").write_text(
        '{"config_path": "configs/cnn_50_100_512_4096_sample.json"}'
    )
    # It is that of the published models, so it does not fit this one.
    with refused("(287, 50)", "(287, 3)", "char_emb_layer.embedding.weight"):
        open_weights(folder)
    shutil.copy(folder / "cnn_sample.json", folder / "cnn_50_100_512_4096_sample.json")
    check_same(ElmoEmbedding.from_preset(folder), elmo)
    (folder / "config.json").write_text('{"config_path": "mine/other.json"}')
    with pytest.raises(FileNotFoundError, match=r"config_path='mine/other\.json'"):
        open_weights(folder)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("config.json", r"should have a config\.json"),
        ("char.dic", r"should have a char\.dic"),
        ("word.dic", r"should have a word\.dic"),
        ("cnn_sample.json", r"should name a file beside it"),
    ],
)
def test_a_file_that_is_missing(folder, file, message):
    (folder / file).unlink()
    with pytest.raises(FileNotFoundError, match=message):
        open_weights(folder)


DICTIONARIES = {
    "twice": "a\t0\na\t1\n",
    "number twice": "a\t0\nb\t0\n",
    "from 1": "a\t1\nb\t2\n",
    "negative": "a\t-1\nb\t0\n",
    "no number": "a\t0\nb\tx\n",
    "long number": "a\t" + "9" * 5000,
    "other digits": "a\t²\n",
    "three fields": "a\tb\t0\n",
    "empty": "",
    "no UTF-8": "\udcff\t0",
}


@pytest.mark.parametrize("content", DICTIONARIES.values(), ids=DICTIONARIES)
@pytest.mark.parametrize("name", ["char.dic", "word.dic"])
def test_broken_dictionaries(folder, name, content):
    (folder / name).write_bytes(content.encode(errors="surrogateescape"))
    with refused(folder / name, "should hold lines of an entry, a tab", "Fetch it"):
        open_weights(folder)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            ["ab", "<bos>", "<eos>", "<bow>", "<eow>", "<pad>", "<oov>"],
            "['ab'] besides",
        ),
        (["a", "<bos>", "<eos>", "<bow>", "<pad>", "<oov>"], "no ['<eow>']"),
    ],
)
def test_characters_that_are_none(folder, entries, message):
    lines = [f"{entry}\t{number}\n" for number, entry in enumerate(entries)]
    (folder / "char.dic").write_text("".join(lines), encoding="utf-8")
    with refused("char.dic", "single characters", message):
        open_weights(folder)


def test_words_without_the_special_ones(folder):
    words = (folder / "word.dic").read_text("utf-8").replace("<oov>", "oov")
    (folder / "word.dic").write_text(words, encoding="utf-8")
    with refused("cnn_sample.json", "without ['<oov>']"):
        ElmoEmbedding.from_preset(folder)


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("encoder", {"name": "lstm"}, "Received: 'lstm', 'cnn'"),
        ("token_embedder", {"name": "lstm"}, "Received: 'elmo', 'lstm'"),
        ("token_embedder", {"char_dim": 0}, "char_dim=0, which no published model is"),
        ("encoder", {"dim": "left out"}, "without 'dim'"),
        ("token_embedder", {"filters": 3}, "`filters` should be"),
        ("token_embedder", {"filters": [[1, "3"]]}, "`filters` should be"),
        ("token_embedder", {"filters": [[1, 10**6]]}, "of shape (2000000, 1000000)"),
        ("token_embedder", {"char_dim": 10**6}, "of shape (287, 1000000)"),
        ("token_embedder", {"n_highway": 10**9}, "`num_highway_layers` should be at"),
        ("token_embedder", {"n_highway": 3}, "missing: highways._layers.2.weight"),
        ("token_embedder", {"n_highway": 0}, "unexpected: highways._layers.0.bias"),
        ("token_embedder", {"word_dim": 0}, "unexpected: word_emb_layer"),
        ("token_embedder", {"word_dim": 5}, "should be (13, 5), is (13, 4)"),
        ("token_embedder", {"activation": "selu2"}, "activation"),
        ("encoder", {"dim": 10**6, "projection_dim": 10**6}, "(4000000, 1000000)"),
        ("encoder", {"n_layers": 3}, "missing: forward_layer_2.input_linearity.weight"),
        ("encoder", {"cell_clip": "much"}, "`cell_clip` should be"),
    ],
)
def test_sizes_that_are_wrong(folder, section, values, message):
    change(folder, section, **values)
    with takes_little(), refused(message):
        BiLM.from_preset(folder)


@pytest.mark.parametrize("content", ["[]", "{", '{"config_path": 3}', "{}"])
def test_broken_configs(folder, content):
    (folder / "config.json").write_text(content)
    with refused(folder / "config.json"):
        open_weights(folder)


def test_clips_that_are_0_are_none(folder):
    change(folder, "encoder", cell_clip=0, proj_clip=None)
    bilm = BiLM.from_preset(folder)
    assert bilm.cell_clip is None and bilm.projection_clip is None


def test_a_name_for_a_file_elsewhere(folder, tmp_path):
    """The file of sizes is looked for beside `config.json` alone."""
    (folder / "cnn_sample.json").rename(tmp_path / "cnn_sample.json")
    for name in ("../cnn_sample.json", str(tmp_path / "cnn_sample.json"), "..", ""):
        (folder / "config.json").write_text(json.dumps({"config_path": name}))
        with pytest.raises(FileNotFoundError, match="Put that file there"):
            open_weights(folder)
