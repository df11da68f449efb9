import itertools
import json

import numpy as np
import pytest
from golden import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from language_models import VOCABULARY, WORDS, Oracle, double_weights, language_model
from models import small_bilm
from refusal import PROPERTY, refused

from keras_elmo.pretraining import (
    LanguageModel,
    SentenceScore,
    TextCorpus,
    sampled_softmax,
)

# Two of the words are unknown, one of them of other letters than there are elsewhere.
TOKENS = st.sampled_from([*WORDS[2:], "bit", "Ωmega"])
SENTENCES = st.lists(st.lists(TOKENS, max_size=7), max_size=6)


@pytest.fixture(scope="module")
def model():
    # It samples in training, and scores are of all words nevertheless.
    return language_model(num_samples=4)


@pytest.fixture(scope="module")
def expected(model):
    """Function of a sentence: the scores by NumPy, in the order of its tokens."""
    oracle = Oracle(double_weights(model))

    def scores(tokens):
        forward, backward = oracle.losses([tokens])
        return -forward, -backward[::-1]

    return scores


def all_scores(score):
    """The predictions of each direction, in the order of the tokens."""
    return [
        np.append(score.forward, score.forward_end),
        np.append(score.backward_end, score.backward),
    ]


def assert_same(score, other):
    for left, right in zip(all_scores(score), all_scores(other), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


@settings(PROPERTY, max_examples=20)
@given(SENTENCES, st.integers(1, 40))
def test_scores_are_those_of_numpy_however_sentences_are_read(
    model, expected, sentences, max_tokens
):
    scores = model.score(sentences, max_tokens=max_tokens)
    assert len(scores) == len(sentences)
    for score, tokens in zip(scores, sentences, strict=True):
        assert score.tokens == tuple(tokens)
        unknown = [token == "<UNK>" or token not in WORDS for token in tokens]
        assert score.is_unknown.tolist() == unknown
        assert score.forward.shape == score.backward.shape == (len(tokens),)
        for actual, wanted in zip(all_scores(score), expected(tokens), strict=True):
            np.testing.assert_allclose(actual, wanted, atol=1e-5)


def test_scores_are_those_of_bilm_tf():
    folder = FIXTURES / "bilm_tf"
    model = LanguageModel.from_preset(folder / "model.ckpt-1")
    recorded = json.loads((folder / "scores.json").read_text())
    scores = model.score(sentence["tokens"] for sentence in recorded)
    for score, sentence in zip(scores, recorded, strict=True):
        forward, backward = all_scores(score)
        np.testing.assert_allclose(forward, sentence["forward"], atol=1e-6)
        np.testing.assert_allclose(backward[::-1], sentence["backward"], atol=1e-6)


def test_totals(model, expected):
    (score,) = model.score([["the", "cat", "bit"]])
    forward, backward = expected(["the", "cat", "bit"])
    assert score.forward_total == pytest.approx(forward.sum(), abs=1e-5)
    assert score.backward_total == pytest.approx(backward.sum(), abs=1e-5)
    mean = np.concatenate([forward, backward]).mean()
    assert score.mean == pytest.approx(mean, abs=1e-5)
    assert score.perplexity == pytest.approx(np.exp(-mean), rel=1e-5)
    both = (forward[:3] + backward[1:]) / 2
    np.testing.assert_allclose(score.both, both, atol=1e-5)


def test_perplexity_of_a_text_is_that_of_evaluate(tmp_path):
    sentences = ["the cat sat", "dog bit ran", "ran the cat"]
    (tmp_path / "text.txt").write_text("\n".join(sentences))
    # With a sentence in each row, no state is carried from one to the next.
    model = language_model(batch_size=3)
    (batch,) = TextCorpus(tmp_path / "text.txt").in_order(VOCABULARY, 3, 4)
    results = model.test_step(batch)
    scores = model.score(sentences)
    predictions = sum(len(score.tokens) + 1 for score in scores)
    forward, backward = (
        sum(getattr(score, name) for score in scores) / predictions
        for name in ("forward_total", "backward_total")
    )
    for name, mean in (
        ("forward_perplexity", forward),
        ("backward_perplexity", backward),
        ("perplexity", (forward + backward) / 2),
    ):
        assert np.exp(-mean) == pytest.approx(float(results[name]), rel=1e-5)


def test_words_are_predicted_in_blocks(model, monkeypatch):
    sentences = [["the", "cat"] * 20, ["dog"] * 30]
    whole = model.score(sentences)
    monkeypatch.setattr(sampled_softmax, "_BLOCK", 3 * len(VOCABULARY) + 1)
    assert [part.stop for part in model.softmax.blocks(4)] == [3, 6]
    sizes = []

    class Recorded(type(model.softmax)):
        def logits(self, outputs):
            sizes.append(len(outputs))
            return super().logits(outputs)

    monkeypatch.setattr(model.softmax, "__class__", Recorded)
    for score, other in zip(model.score(sentences), whole, strict=True):
        assert_same(score, other)
    assert max(sizes) == 3 and sum(sizes) == 2 * (41 + 31)


def test_a_block_is_of_128_mebibytes():
    softmax = sampled_softmax.SampledSoftmax(793_471)
    parts = softmax.blocks(1000)
    assert (parts[0].start, parts[0].stop) == (0, 42)
    assert all(left.stop == right.start for left, right in itertools.pairwise(parts))
    assert parts[-1].stop >= 1000 > parts[-1].start
    assert sampled_softmax.SampledSoftmax(2**26).blocks(2)[1] == slice(1, 2)


def test_a_model_that_is_trained_is_scored_as_it_is_now():
    model = language_model()
    (before,) = model.score(["the cat"])
    kernel = model.bilm.bilstm.backward_layers[1].kernel
    kernel.assign(kernel * 0.5)
    (after,) = model.score(["the cat"])
    _, backward = Oracle(double_weights(model)).losses([["the", "cat"]])
    np.testing.assert_allclose(after.backward, -backward[1::-1], atol=1e-5)
    np.testing.assert_array_equal(before.forward, after.forward)
    assert np.abs(before.backward - after.backward).max() > 1e-3


@pytest.mark.parametrize("make", [list, iter, tuple, lambda x: np.array(x, object)])
def test_any_iterable_of_strings_and_lists(model, make):
    scores = model.score(make(["the  cat", b"the cat", "the\tcat"]))
    assert [score.tokens for score in scores] == [
        ("the", "cat"),
        ("the", "cat"),
        ("the\tcat",),
    ]
    assert_same(*scores[:2])
    assert model.score(iter([])) == []


def test_bytes_that_are_no_text(model):
    (score,) = model.score([[b"\xff\xfe", "<S>"]])
    assert score.tokens == ("\\xff\\xfe", "<S>")
    assert score.is_unknown.tolist() == [True, False]


def test_strings_are_split_as_the_preset_says(tmp_path):
    model = LanguageModel(small_bilm(), VOCABULARY, 1, tokenizer="whitespace")
    model.save_to_preset(tmp_path / "preset")
    loaded = LanguageModel.from_preset(tmp_path / "preset")
    assert loaded.score(["the\tcat"])[0].tokens == ("the", "cat")
    other = LanguageModel.from_preset(tmp_path / "preset", tokenizer="space")
    assert other.tokenizer == "space"
    with refused("`tokenizer` should be one of", "tokenizer='words'"):
        LanguageModel.from_preset(tmp_path / "preset", tokenizer="words")
    config = tmp_path / "preset" / "config.json"
    config.write_text(config.read_text().replace("whitespace", "words"))
    with refused("config.json", "tokenizer='words'"):
        LanguageModel.from_preset(tmp_path / "preset")


def test_a_stream_reads_some_batches_ahead(model):
    read = []

    def sentences():
        for number in itertools.count():
            read.append(number)
            yield ["the"] * (number % 3)

    stream = model.score_stream(sentences(), max_tokens=8)
    scores = list(itertools.islice(stream, 30))
    assert [len(score.tokens) for score in scores] == [n % 3 for n in range(30)]
    assert len(read) < 1000


@pytest.mark.parametrize("sentences", ["the cat", 5, {"a": 1}, None])
def test_what_is_no_iterable_of_sentences(model, sentences):
    with refused("`sentences` should be a list", "for one sentence, a list of one"):
        model.score(sentences)
    with refused("`sentences` should be a list"):
        model.score_stream(sentences)  # The error does not wait for `next`.


@pytest.mark.parametrize("sentence", [5, None, ["the", 1], [["the"]], "\ud800"])
def test_what_is_no_sentence(model, sentence):
    with refused("sentence 1", "`sentences` should"):
        model.score(["the cat", sentence])


@pytest.mark.parametrize("max_tokens", [0, 1.5, True, None])
def test_max_tokens(model, max_tokens):
    with refused("`max_tokens` should be a positive integer"):
        model.score(["the cat"], max_tokens=max_tokens)


def test_half_precision():
    model = LanguageModel(small_bilm(dtype="mixed_bfloat16"), VOCABULARY, 1)
    (score,) = model.score(["the cat sat"])
    assert model.bilm.compute_dtype == "bfloat16"
    assert score.forward.dtype == "float32" and np.isfinite(score.forward).all()


def test_perplexity_beyond_a_float_is_infinite():
    low = np.array([-1e4], "float32")
    score = SentenceScore(("a",), np.array([False]), low, low, -1e4, -1e4)
    assert score.perplexity == float("inf")
