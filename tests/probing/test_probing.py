import numpy as np
import pytest
from golden import assert_close
from models import small_bilm

from keras_elmo import ElmoEmbedding
from keras_elmo.probing import (
    probe_parts_of_speech,
    probe_senses,
    probe_words_in_context,
    read_pairs,
    read_senses,
    read_tags,
)
from keras_elmo.probing.vectors import embed_tokens, embed_words
from keras_elmo.probing.word_views import cosines, embed_views
from keras_elmo.probing.words_in_context import WordPair, _facts

pytest.importorskip("sklearn", reason="scikit-learn is not installed")


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedding(
        small_bilm(filters=[[1, 16], [2, 16]], units=32, projection_dim=16)
    )


def write_senses(path, count=30):
    """`bank` in two contexts, which alone tell its senses apart."""
    contexts = [("river", "of the"), ("money", "in my")]
    instances = [
        f"""<instance id="{index}">
        <answer instance="{index}" senseid="{contexts[index % 2][0]}"/>
        <context> <wf pos="``">``</wf> <wf pos="NN">{"word " * (index % 5)}</wf>
        <compound><wf pos="IN">{contexts[index % 2][1]}</wf></compound>
        <head> <wf pos="NN">bank</wf></head> <wf pos=".">.</wf> </context></instance>"""
        for index in range(count)
    ]
    body = "".join(instances)
    path.write_text(f'<corpus lang="en"><lexelt item="b">{body}</lexelt></corpus>')


def test_vectors_are_those_of_each_sentence_alone(elmo):
    rng = np.random.default_rng(0)
    sentences = [list("abcdefgh"[: rng.integers(1, 9)]) for _ in range(70)]
    embedded = embed_tokens(elmo, sentences)
    assert set(embedded) == {"word_emb", "lstm_outputs1", "lstm_outputs2", "elmo"}
    for index in (0, 33, 69):
        alone = elmo([" ".join(sentences[index])])
        for layer, vectors in embedded.items():
            assert_close(vectors[index], alone[layer][0])
    last = embed_words(elmo, sentences, [len(tokens) - 1 for tokens in sentences])
    np.testing.assert_array_equal(last["elmo"][33], embedded["elmo"][33][-1])


def test_senses(elmo, tmp_path):
    write_senses(tmp_path / "bank.pos")
    example = read_senses(tmp_path / "bank.pos")[1]
    assert example == (['"', "word", "in my", "bank", "."], 3, "money")
    scores = probe_senses(elmo, tmp_path / "bank.pos")
    assert scores["majority"] == {"nearest": 0.5, "linear": 0.5}
    # Without context all vectors are one.
    assert scores["word_emb"]["linear"] == pytest.approx(0.5, abs=0.01)
    assert scores["lstm_outputs1"] == {"nearest": 1.0, "linear": 1.0}


def test_answers_without_a_sense_are_left_out(tmp_path):
    path = tmp_path / "bank.pos"
    write_senses(path, count=4)
    path.write_text(path.read_text().replace(' senseid="money"', ""))
    assert [example.sense for example in read_senses(path)] == ["river"] * 2


def test_parts_of_speech(elmo, tmp_path):
    rows = ["# text", *(f"{i}\t{w}\t_\t_\t{t}\t_\t_\t_\t_\t_" for i, w, t in [
        (1, "the", "DT"), ("2-3", "dogs'", "_"), (2, "dogs", "NNS"), ("2.1", "x", "_"),
        (3, "1 000", "CD")])]  # fmt: skip
    for name in ("train", "dev"):
        (tmp_path / name).write_text("\n".join([*rows, "", *rows]))
    assert read_tags(tmp_path / "dev") == [
        (["the", "dogs", "1000"], ["DT", "NNS", "CD"])
    ] * 2  # fmt: skip
    scores = probe_parts_of_speech(elmo, tmp_path / "train", tmp_path / "dev")
    assert scores["majority"] == {"linear": 1.0}
    assert scores["word_emb"] == {"linear": 1.0}


def test_words_in_context(elmo, tmp_path):
    for name in ("train", "dev"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.data.txt").write_text(
            "a\tN\t0-0\ta b .\ta b .\n" * 9 + "a\tN\t0-1\ta b .\tcccccc a d !\n" * 6
        )
        (folder / f"{name}.gold.txt").write_text("T\n" * 9 + "F\n" * 6)
    pair = read_pairs(tmp_path / "dev")[9]
    assert pair == ((["a", "b", "."], ["cccccc", "a", "d", "!"]), (0, 1), False)
    scores = probe_words_in_context(elmo, tmp_path / "train", tmp_path / "dev")
    assert scores["majority"] == {"threshold": 0.6, "linear": 0.6}
    assert scores["same form"] == {"linear": 0.6}
    # In both sentences the word is the same, and so is its vector without context.
    assert scores["word_emb"] == {"threshold": 0.6, "linear": 1.0}
    assert scores["lstm_outputs2"] == {"threshold": 1.0, "linear": 1.0}
    assert scores["all layers"] == {"linear": 1.0}
    (tmp_path / "train" / "train.gold.txt").write_text("T\n" * 11 + "F\n" * 4)
    with pytest.raises(ValueError, match="`train`.*5 pairs of either answer.*/train"):
        probe_words_in_context(elmo, tmp_path / "train", tmp_path / "dev")


def test_cosines_of_pairs_are_of_vectors_with_and_without_their_mean(elmo):
    train = [
        WordPair((["a", "b"], ["c", "A"]), (0, 1), True),
        WordPair((["b"], ["d"]), (0, 0), False),
    ]
    test = [WordPair((["e", "f"], ["f"]), (0, 0), False)]
    facts = _facts(elmo, train, test)
    assert facts[0]["same form"].tolist() == [[True], [False]]
    words = [(pair.sentences[k], pair.positions[k]) for pair in train for k in (0, 1)]
    of_train = embed_words(elmo, *zip(*words, strict=True))["lstm_outputs1"]
    first, second = embed_words(elmo, [["e", "f"], ["f"]], [0, 0])["lstm_outputs1"]
    mean = of_train.mean(axis=0)

    def cosine(a, b):
        return np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)

    expected = [cosine(first, second), cosine(first - mean, second - mean)]
    assert_close(facts[1]["lstm_outputs1"][0, :2], np.array(expected))
    assert facts[1]["lstm_outputs1"].shape == (1, 14)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_views_of_a_word(elmo, position):
    tokens = ["a", "bb", "c"]
    views = embed_views(elmo, [tokens], [position])
    assert set(views["word_emb"]) == {"word", "sentence"}
    layer = elmo([" ".join(tokens)])["lstm_outputs1"][0].numpy()
    zeros = np.zeros((1, 16), "float32")
    before = np.vstack([zeros, layer[:, :16]])[position]
    after = np.vstack([layer[:, 16:], zeros])[position + 1]
    expected = {
        "word": layer[position],
        "sentence": layer.mean(axis=0),
        "forward": layer[position, :16],
        "backward": layer[position, 16:],
        "before": before,
        "after": after,
        "around": np.concatenate([before, after]),
    }
    assert set(views["lstm_outputs1"]) == set(expected)
    for name, vector in expected.items():
        assert_close(views["lstm_outputs1"][name][0], vector)


def test_positions_that_are_none(elmo):
    for embed in (embed_words, embed_views):
        for positions, message in [
            ([0], "1 positions, 2 sentences"),
            ([0, 2], "Received: 2 for sentence 1, which has 2"),
            ([-1, 0], "Received: -1 for sentence 0"),
        ]:
            with pytest.raises(ValueError, match=message):
                embed(elmo, ["a", "b c"], positions)


def test_cosines():
    vectors = np.array([[2.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    others = np.array([[3.0, 3.0], [1.0, 0.0], [-2.0, -2.0]])
    assert_close(cosines(vectors, others, 0), [0.5**0.5, 0, -1])
    assert_close(cosines(vectors, others, vectors[0]), [0, 1, 0.1**0.5])


def test_files_of_other_kinds(tmp_path):
    (tmp_path / "dev").mkdir()
    for path in (tmp_path / "text", tmp_path / "dev/dev.data.txt"):
        path.write_text("some text\n")
    (tmp_path / "dev/dev.gold.txt").write_text("T\n")
    with pytest.raises(ValueError, match="Senseval's XML.*could not be read"):
        read_senses(tmp_path / "text")
    with pytest.raises(ValueError, match="CoNLL-U.*which has none"):
        read_tags(tmp_path / "text")
    with pytest.raises(ValueError, match="WiC should have rows.*could not be read"):
        read_pairs(tmp_path / "dev")
    (tmp_path / "text").write_text("<corpus/>")
    with pytest.raises(ValueError, match="which has none"):
        read_senses(tmp_path / "text")
