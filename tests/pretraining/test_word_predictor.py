import numpy as np
import pytest
from language_models import WORDS, Oracle, double_weights, language_model
from refusal import refused

from keras_elmo.pretraining import word_predictor

SENTENCE = ["the", "cat", "bit", "dog"]


@pytest.fixture(scope="module")
def model():
    return language_model()


@pytest.fixture(scope="module")
def oracle(model):
    return Oracle(double_weights(model))


def assert_words(found, scores, n):
    """`found` are the words with the `n` highest of `scores` by word."""
    order = sorted(scores, key=scores.get, reverse=True)[:n]
    assert [word for word, _ in found] == order
    np.testing.assert_allclose(
        [score for _, score in found], [scores[word] for word in order], atol=1e-5
    )


@pytest.mark.parametrize(("length", "n"), [(0, 100), (1, 1), (3, 3)])
def test_next_words_are_those_of_numpy(model, oracle, length, n):
    (forward, _), _ = oracle.log_probabilities([SENTENCE[:length]])
    scores = dict(zip(WORDS, forward[-1], strict=True))
    del scores["<S>"], scores["<UNK>"]
    assert_words(model.next_words(SENTENCE[:length], n), scores, n)


def test_next_words_are_scored_as_by_score(model):
    found = dict(model.next_words("the cat", n=100))
    (score,) = model.score(["the cat sat"])
    assert found["sat"] == pytest.approx(score.forward[2], abs=1e-5)
    (score,) = model.score(["the cat"])
    assert found["</S>"] == pytest.approx(score.forward_end, abs=1e-5)
    assert model.next_words("") == model.next_words([])


def expected_substitutes(oracle, position, direction):
    """By Bayes' rule, in NumPy."""
    (forward, _), (backward, _) = oracle.log_probabilities([SENTENCE])
    forward, backward = forward[position], backward[len(SENTENCE) - 1 - position]
    ranks = np.arange(len(WORDS))
    zipf = np.log((ranks + 2) / (ranks + 1)) / np.log(len(WORDS) + 1)
    assert zipf.sum() == pytest.approx(1)
    by_direction = {
        "forward": np.exp(forward),
        "backward": np.exp(backward),
        "both": np.exp(forward) * np.exp(backward) / zipf,
    }
    probabilities = by_direction[direction][3:]
    probabilities = np.log(probabilities / probabilities.sum())
    return dict(zip(WORDS[3:], probabilities, strict=True))


@pytest.mark.parametrize(
    ("position", "direction", "n"),
    [
        (0, "both", 100),
        (1, "forward", 100),
        (1, "backward", 2),
        (2, "both", 3),
        (3, "both", 100),
    ],
)
def test_substitutes_are_those_of_numpy(model, oracle, position, direction, n):
    found = model.substitutes(" ".join(SENTENCE), position, n, direction)
    expected = expected_substitutes(oracle, position, direction)
    assert_words(found, expected, n)


def test_the_word_that_is_there_is_not_read(model):
    other = [*SENTENCE[:1], "ran", *SENTENCE[2:]]
    assert model.substitutes(other, 1) == model.substitutes(SENTENCE, np.int64(1))
    assert model.substitutes(other, 2) != model.substitutes(SENTENCE, 2)


def test_long_sentences_are_read_in_windows(model, monkeypatch):
    expected = model.substitutes(SENTENCE * 3, 5), model.next_words(SENTENCE * 3)
    monkeypatch.setattr(word_predictor, "_WINDOW", 2)
    found = model.substitutes(SENTENCE * 3, 5), model.next_words(SENTENCE * 3)
    for left, right in zip(found, expected, strict=True):
        assert_words(left, dict(right), len(right))


@pytest.mark.parametrize("position", [-1, 4, True, 1.0, "1", None])
def test_a_position_that_there_is_not(model, position):
    with refused("`position` should", f"position={position!r}", "of 4 words"):
        model.substitutes(SENTENCE, position)


@pytest.mark.parametrize("sentence", [5, None, ["the", 1], [["the"]], "\ud800"])
def test_what_is_no_sentence(model, sentence):
    with refused("`sentence` should be one sentence"):
        model.substitutes(sentence, 0)
    with refused("`prefix` should be one sentence"):
        model.next_words(sentence)


def test_other_bad_arguments(model):
    with refused("of 0 words"):
        model.substitutes("", 0)
    with refused("`direction` should be one of: 'both'", "'left'"):
        model.substitutes("the cat", 0, direction="left")
    for n in (0, -1, 2.5, True):
        with refused("`n` should be a positive integer"):
            model.substitutes("the cat", 0, n)
        with refused("`n` should be a positive integer"):
            model.next_words("the cat", n)
