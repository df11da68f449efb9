import gzip
import shutil
import zipfile

import numpy as np
import pytest
from golden import FIXTURES, Golden, assert_close
from language_models import WORDS, Oracle, double_weights, language_model
from refusal import refused

from keras_elmo.compat.simple_elmo import ElmoModel

GOLDEN = Golden("skip")
TEXTS = [*GOLDEN.batches[0], *GOLDEN.batches[1], []]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The model `skip` as simple_elmo has it."""
    folder = tmp_path_factory.mktemp("simple_elmo")
    shutil.copy(GOLDEN.options, folder / "options.json")
    shutil.copy(GOLDEN.weights, folder / "model.hdf5")
    (folder / "vocab.txt").write_text("<S>\n</S>\n<UNK>\nthe\n")
    return folder


@pytest.fixture(scope="module")
def model(folder):
    model = ElmoModel()
    model.load(folder)
    return model


def expected_layers():
    """`(layers, tokens, dim)` of each of the texts, by itself."""
    arrays = [*GOLDEN.arrays["layers_0"], *GOLDEN.arrays["fresh_1"]]
    arrays.append(arrays[0][:, :0])
    return [layers[:, : len(text)] for layers, text in zip(arrays, TEXTS, strict=True)]


def chosen(layers, choice):
    """What simple_elmo calls by this name, of one text."""
    if choice == "all":
        return layers
    return layers[-1] if choice == "top" else layers.mean(axis=0)


@pytest.mark.parametrize("choice", ["average", "top", "all"])
def test_vectors(model, choice):
    vectors = model.get_elmo_vectors(TEXTS, layers=choice)
    averages = model.get_elmo_vector_average(TEXTS, layers=choice)
    longest = max(map(len, TEXTS))
    of_layers = (model.n_layers,) if choice == "all" else ()
    dim = model.vector_size
    assert vectors.shape == (len(TEXTS), *of_layers, longest, dim)
    assert averages.shape == (len(TEXTS), *of_layers, dim)
    assert vectors.dtype == averages.dtype == "float64"
    for row, average, layers in zip(vectors, averages, expected_layers(), strict=True):
        expected = chosen(layers, choice)
        length = expected.shape[-2]
        assert_close(row[..., :length, :], expected)
        assert not row[..., length:, :].any()
        total = expected.sum(axis=-2)
        assert_close(average, total / (np.linalg.norm(total) or 1))


def test_facts(model):
    facts = model.batch_size, model.max_chars, model.vector_size, model.n_layers
    assert facts == (32, 50, 24, 3)


def test_defaults_are_averages_and_no_history(model):
    first = model.get_elmo_vectors(TEXTS[:2])
    assert_close(first, model.get_elmo_vectors(TEXTS[:2], True, "average"))
    assert_close(first, model.get_elmo_vectors(TEXTS[:2], warmup=False))
    longest = len(TEXTS[0])
    assert_close(first, model.get_elmo_vectors(TEXTS)[:2, :longest])


def test_no_texts_and_no_tokens(model):
    assert model.get_elmo_vectors([]).shape == (0, 0, 24)
    assert model.get_elmo_vectors([[], []], layers="all").shape == (2, 3, 0, 24)
    assert model.get_elmo_vector_average([]).shape == (0, 24)


def check_vectors(vectors, texts, layers):
    for row, expected, text in zip(vectors, layers, texts, strict=True):
        assert_close(row[..., : len(text), :], expected[..., : len(text), :])
        assert not row[..., len(text) :, :].any()


def test_state_is_carried_on_request(folder):
    """From zeros in each call; warm-up reads the first batch once more."""
    first, second = GOLDEN.batches
    model = ElmoModel(stateful=True)
    model.load(folder, max_batch_size=len(first))
    recorded = [*GOLDEN.arrays["layers_0"], *GOLDEN.arrays["layers_1"]]
    for choice in ("all", "top", "average"):
        vectors = model.get_elmo_vectors([*first, *second], False, choice)
        expected = [chosen(layers, choice) for layers in recorded]
        check_vectors(vectors, [*first, *second], expected)
    warm = model.get_elmo_vectors(second, layers="all")
    twice = model.get_elmo_vectors([*second, *second], False, "all")
    check_vectors(warm, second, twice[len(second) :])
    assert np.abs(warm[0] - twice[0]).max() > 1e-2
    averages = model.get_elmo_vector_average(second, layers="top")
    total = warm[0, -1].sum(axis=0)
    assert_close(averages[0], total / np.linalg.norm(total))


def test_archive(folder, tmp_path):
    path = tmp_path / "200.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    model = ElmoModel(stateful=True)
    model.load(str(path), limit=None)
    vectors = model.get_elmo_vectors(GOLDEN.batches[0], False, "all")
    check_vectors(vectors, GOLDEN.batches[0], GOLDEN.arrays["layers_0"])


def test_model_beside_a_checkpoint(folder, tmp_path):
    """simple_elmo reads the checkpoint with `full=True` alone."""
    shutil.copytree(FIXTURES / "bilm_tf", tmp_path, dirs_exist_ok=True)
    (tmp_path / "weights.hdf5").unlink()
    for name in ("options.json", "model.hdf5"):
        shutil.copy(folder / name, tmp_path)
    beside = ElmoModel()
    beside.load(tmp_path)
    assert beside.vector_size == 24


def oracle_expected(language_model, tokens, topn):
    """For each token, the numbers and log-probabilities of the best words."""
    oracle = Oracle(double_weights(language_model))
    forward, backward = (s for s, _ in oracle.log_probabilities([tokens]))
    # The last prediction of each direction is the boundary.
    for scores in zip(forward[:-1], backward[:-1][::-1], strict=True):
        yield [sorted(range(2, len(WORDS)), key=lambda n: -s[n])[:topn] for s in scores]


def test_substitutes(tmp_path):
    trained = language_model()
    trained.save_to_preset(tmp_path / "preset")
    model = ElmoModel()
    model.load(tmp_path / "preset", full=True)
    sentences = ["the cat sat", "", "a  dog ran\tthe"]
    results = model.get_elmo_substitutes(sentences, topn=2)
    assert [len(result) for result in results] == [3, 0, 4]
    for sentence, result in zip(sentences, results, strict=True):
        tokens = sentence.split()
        words = [token if token in WORDS else "<UNK>" for token in tokens]
        assert [entry["word"] for entry in result] == words
        for entry, ids in zip(result, oracle_expected(trained, tokens, 2), strict=True):
            for direction, numbers in zip(("forward", "backward"), ids, strict=True):
                expected = entry[direction]
                assert set(expected) == {"candidates", "candidate_words", "logp"}
                assert expected["candidates"] == numbers
                assert expected["candidate_words"] == [WORDS[n] for n in numbers]
    oracle = Oracle(double_weights(trained))
    (forward, _), _ = oracle.log_probabilities([["the", "cat", "sat"]])
    first = results[0][0]["forward"]
    assert_close(first["logp"], forward[0][first["candidates"]], atol=1e-4)
    assert first["logp"] == [round(value, 4) for value in first["logp"]]
    tokens = model.get_elmo_substitutes([["the", "cat", "sat"]], topn=2)
    assert tokens == results[:1]
    (all_words, *_), *_ = model.get_elmo_substitutes(sentences, 100, False)
    assert sorted(all_words["forward"]["candidates"]) == list(range(len(WORDS)))
    assert_close(np.exp(all_words["forward"]["logp"]).sum(), 1, atol=1e-3)
    assert model.get_elmo_vectors([["the", "cat"]]).shape == (1, 2, 10)


def test_full_models_of_simple_elmo(tmp_path):
    """A checkpoint with options and a compressed vocabulary beside it."""
    shutil.copytree(FIXTURES / "bilm_tf", tmp_path, dirs_exist_ok=True)
    vocabulary = tmp_path / "vocabulary.txt"
    compressed = gzip.compress(vocabulary.read_bytes())
    (tmp_path / "vocab.txt.gz").write_bytes(compressed)
    words = vocabulary.read_text("utf-8").split()
    vocabulary.unlink()
    model = ElmoModel()
    model.load(tmp_path, full=True)
    ((word,),) = model.get_elmo_substitutes([[words[3]]])
    assert word["word"] == words[3]
    assert len(word["forward"]["candidate_words"]) == 3


def test_wrong_arguments(model, folder, tmp_path):
    with refused("`layers`", "'average', 'top', 'all'", "'last'"):
        model.get_elmo_vectors([["a"]], layers="last")
    with refused("`layers`", "'average', 'top', 'all'"):
        model.get_elmo_vector_average([["a"]], layers=None)
    with refused("`texts[0]`", "'the cat' of type str", "`sentence.split()`"):
        model.get_elmo_vectors(["the cat"])
    with refused("`warmup`"):
        model.get_elmo_vectors([["a"]], warmup="yes")
    with refused("`session`", "no sessions"):
        model.get_elmo_vectors([["a"]], session="session")
    with refused("`load(..., full=True)`"):
        model.get_elmo_substitutes(["the cat"])
    for arguments in ({"max_batch_size": 0}, {"limit": -1}, {"full": 1}):
        with refused(f"`{next(iter(arguments))}`"):
            ElmoModel().load(folder, **arguments)
    with refused("`stateful`"):
        ElmoModel(stateful="yes")
    with pytest.raises(FileNotFoundError, match="softmax"):
        ElmoModel().load(folder, full=True)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ElmoModel().load(tmp_path / "nowhere")
    for method in ("get_elmo_vectors", "get_elmo_vector_average"):
        with pytest.raises(RuntimeError, match="`load` should be called first"):
            getattr(ElmoModel(), method)([["a"]])
    with pytest.raises(RuntimeError, match="`load` should be called first"):
        ElmoModel().get_elmo_substitutes(["a"])


def test_wrong_arguments_of_substitutes(tmp_path):
    language_model().save_to_preset(tmp_path / "preset")
    model = ElmoModel()
    model.load(tmp_path / "preset", full=True)
    for arguments in ({"topn": 0}, {"nodelimiters": 1}):
        with refused(f"`{next(iter(arguments))}`"):
            model.get_elmo_substitutes(["the cat"], **arguments)
    for data in ("the cat", 3, [[3]]):
        with refused("Received"):
            model.get_elmo_substitutes(data)
