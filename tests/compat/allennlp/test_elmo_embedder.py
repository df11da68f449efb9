import io
import json

import h5py
import numpy as np
import pytest
from allennlp_runs import AllenNLPRun
from golden import assert_close
from refusal import refused

from keras_elmo.bulk import layers
from keras_elmo.compat.allennlp import ElmoEmbedder

SENTENCES = [["the", "cat", "sat"], ["dogs"], ["naïve", "日本語", "😀", "the"]]
TEXT = "the cat sat\n  dogs \nnaïve\t日本語 😀  the\n"


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedder(*AllenNLPRun("skip").files)


@pytest.fixture(scope="module")
def loaded():
    return ElmoEmbedder(*AllenNLPRun("skip").files, stateful=True)


@pytest.fixture
def carrying(loaded):
    """An embedder that carries its state, before its first batch."""
    loaded.reset_states()
    return loaded


def read(path):
    with h5py.File(path, "r") as file:
        return {key: file[key][()] for key in file}


def test_the_snippet_of_allennlp():
    tokens = ["I", "ate", "an", "apple", "for", "breakfast"]
    elmo = ElmoEmbedder("tiny_en")
    vectors = elmo.embed_sentence(tokens)
    assert vectors.shape == (3, 6, 256) and vectors.dtype == "float32"
    others = elmo.embed_sentence(["I", "ate", "a", "carrot", "for", "breakfast"])
    apple, carrot = vectors[2][3], others[2][3]
    cosine = apple @ carrot / np.linalg.norm(apple) / np.linalg.norm(carrot)
    assert 0.5 < cosine < 0.99
    assert_close(elmo.embed_sentence(tokens), vectors, atol=0)


def test_every_batch_from_zeros(elmo):
    run = AllenNLPRun("skip")
    batches = [elmo.embed_batch(batch) for batch in run.batches]
    assert_close(batches, run.layers("fresh"))
    sentences = (tokens for batch in run.batches for tokens in batch)
    assert_close([*elmo.embed_sentences(sentences)], sum(run.layers("fresh"), []))


def test_carried_state_over_batches_of_changing_size(carrying):
    run = AllenNLPRun("skip")
    batches = [carrying.embed_batch(batch) for batch in run.batches]
    assert_close(batches, run.layers("carried"))


def test_carried_state_of_a_stream_and_its_reset(carrying):
    run = AllenNLPRun("skip")
    # Both have two sentences, so that a stream in batches of two is these batches.
    batches = [run.batches[0], run.batches[5]]
    expected = [array for batch in batches for array in carrying.embed_batch(batch)]
    carrying.reset_states()
    stream = carrying.embed_sentences(iter(sum(batches, [])), batch_size=2)
    assert_close([next(stream) for _ in range(4)], expected)
    assert next(stream, None) is None
    carrying.reset_states()
    assert_close(carrying.embed_batch(batches[1]), run.layers("fresh")[5])


def test_tensors(elmo):
    activations, mask = elmo.batch_to_embeddings(SENTENCES)
    assert activations.shape == (3, 3, 4, 24)
    assert mask.numpy().tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    for row, array in zip(
        activations.numpy(), elmo.embed_batch(SENTENCES), strict=True
    ):
        assert_close(row[:, : array.shape[1]], array, atol=0)
        assert not row[:, array.shape[1] :].any()


def test_a_batch_without_tokens_leaves_the_state(carrying):
    first, second = (carrying.embed_sentence(["a"]) for _ in range(2))
    assert np.abs(first - second).max() > 0.01
    carrying.reset_states()
    for expected in (first, second):
        assert carrying.embed_sentence([]).shape == (3, 0, 24)
        assert_close(carrying.embed_sentence(["a"]), expected)


@pytest.mark.parametrize("name", ["elmo", "carrying"])
def test_sentences_without_tokens(name, request):
    elmo = request.getfixturevalue(name)
    assert elmo.embed_sentence([]).shape == (3, 0, 24)
    shapes = [array.shape for array in elmo.embed_batch([[], ["a"], []])]
    assert shapes == [(3, 0, 24), (3, 1, 24), (3, 0, 24)]
    streamed = [*elmo.embed_sentences([[], []]), *elmo.embed_sentences([["a"], []])]
    assert [x.shape[1] for x in streamed] == [0, 0, 1, 0]
    assert elmo.embed_batch([]) == [] and [*elmo.embed_sentences([])] == []


@pytest.mark.parametrize("output_format", ["all", "top", "average"])
@pytest.mark.parametrize("name", ["elmo", "carrying"])
def test_a_file(output_format, name, request, tmp_path):
    elmo = request.getfixturevalue(name)
    expected = [*elmo.embed_sentences(SENTENCES, batch_size=2)]
    if name == "carrying":
        elmo.reset_states()
    path = tmp_path / "new" / "layers.hdf5"
    text = io.StringIO(TEXT)
    elmo.embed_file(text, path, output_format, batch_size=2)
    assert text.closed
    stored = read(path)
    index = json.loads(stored.pop("sentence_to_index")[0])
    assert index == {"the cat sat": "0", "dogs": "1", "naïve\t日本語 😀  the": "2"}
    choose = {
        "all": lambda every: every,
        "top": lambda every: every[-1],
        "average": lambda every: every.mean(axis=0),
    }
    expected = [choose[output_format](every) for every in expected]
    assert_close(stored, {str(i): x for i, x in enumerate(expected)})
    assert all(x.dtype == "float32" for x in stored.values())
    assert [p.name for p in path.parent.iterdir()] == ["layers.hdf5"]


def test_keys_of_a_file(elmo, tmp_path):
    path = tmp_path / "layers.hdf5"
    path.write_text("what is replaced")
    elmo.embed_file(io.StringIO("a b\nc\na b\n"), path, "top", forget_sentences=True)
    assert read(path).keys() == {"0", "1", "2"}
    elmo.embed_file(io.StringIO("a b\nc\na b\n"), path, "top")
    assert json.loads(read(path)["sentence_to_index"][0]) == {"a b": "2", "c": "1"}
    elmo.embed_file(io.StringIO("a b\nc\n"), path, "top", use_sentence_keys=True)
    assert read(path).keys() == {"a b", "c"}
    with pytest.warns(UserWarning, match="a slash or a colon"):
        elmo.embed_file(io.StringIO("he / she\n"), path, "top", 2, False, True)
    with h5py.File(path, "r") as file:
        assert file["he / she"].shape == (3, 24)
    elmo.embed_file(io.StringIO(""), path)
    assert json.loads(read(path)["sentence_to_index"][0]) == {}


def test_long_lines_are_written_in_parts(elmo, tmp_path, monkeypatch):
    expected = [*elmo.embed_sentences(SENTENCES)]
    monkeypatch.setattr(layers, "_TOKENS_PER_BLOCK", 2)
    elmo.embed_file(io.StringIO(TEXT), tmp_path / "layers.hdf5", forget_sentences=True)
    stored = read(tmp_path / "layers.hdf5")
    assert_close(stored, {str(i): x for i, x in enumerate(expected)})


@pytest.mark.parametrize(
    ("text", "kwargs", "parts"),
    [
        ("a\n\nb\n \n", {}, ["empty lines", "2 of them, at indexes [1, 3]"]),
        ("\n" * 9, {}, ["indexes [0, 1, 2, 3, 4, ...]"]),
        ("a\nb\na\n", {"use_sentence_keys": True}, ["twice", "['a'] more than once"]),
        ("a\n.\n", {"use_sentence_keys": True}, ["['.'], which can't be"]),
        ("a\na/b\n", {"use_sentence_keys": True}, ["['a/b'], which can't be"]),
        ("a\n", {"output_format": "last"}, ["`output_format`", "'last'"]),
        ("a\n", {"batch_size": 0}, ["`batch_size`", "=0"]),
    ],
)
@pytest.mark.filterwarnings("ignore:Some sentences have a slash")
def test_mistakes_leave_the_old_file(elmo, text, kwargs, parts, tmp_path):
    path = tmp_path / "layers.hdf5"
    path.write_text("old")
    with refused(*parts):
        elmo.embed_file(io.StringIO(text), path, **kwargs)
    assert path.read_text() == "old" and len([*tmp_path.iterdir()]) == 1


def test_files_that_are_no_text(elmo, tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"caf\xe9\n")
    with refused("UTF-8", str(path)):
        elmo.embed_file(path.open(encoding="utf-8"), tmp_path / "new.hdf5")
    with refused("should be open as text", str(path)):
        elmo.embed_file(path.open("rb"), tmp_path / "new.hdf5")
    with refused("an open file", "encoding="):
        elmo.embed_file(str(path), tmp_path / "new.hdf5")
    with refused("should not be the text itself"):
        elmo.embed_file(path.open(encoding="utf-8"), path)
    assert path.read_bytes() == b"caf\xe9\n"
    assert [p.name for p in tmp_path.iterdir()] == ["text.txt"]


def test_a_disk_that_is_too_small(elmo, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 3 * 24 * 4 - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="288 bytes are needed and 287 are free"):
        elmo.embed_file(io.StringIO("a"), tmp_path / "new" / "layers.hdf5")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda elmo: elmo.embed_sentence("the cat"), ["`sentence`", "split()"]),
        (lambda elmo: elmo.embed_batch("the cat"), ["`batch`", "'the cat'"]),
        (lambda elmo: elmo.embed_batch(["the cat"]), ["`batch[0]`", "split()"]),
        (lambda elmo: elmo.embed_sentences("the cat"), ["`sentences`", "'the cat'"]),
        (lambda elmo: elmo.embed_sentences([["a"]], 0), ["`batch_size`", "=0"]),
        (lambda elmo: [*elmo.embed_sentences([["a"], "b"])], ["`sentences[1]`"]),
        (lambda elmo: elmo.batch_to_embeddings([[1]]), ["`batch[0]`", "[1]"]),
        (lambda elmo: elmo.reset_states(), ["`reset_states`", "stateful=True"]),
        (lambda elmo: ElmoEmbedder("tiny_en", cuda_device=9), ["`cuda_device`", "=9"]),
        (lambda elmo: ElmoEmbedder("tiny_en", cuda_device=True), ["=True"]),
        (lambda elmo: ElmoEmbedder("tiny_en", stateful=1), ["`stateful`", "=1"]),
    ],
)
def test_bad_input(elmo, call, parts):
    with refused(*parts):
        call(elmo)
