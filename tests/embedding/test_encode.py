import numpy as np
import pytest
from golden import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from models import skip_elmo, small_bilm
from refusal import refused

from keras_elmo import ElmoEmbedding
from keras_elmo.embedding import long_sentence, word_vectors

SENTENCES = ["the cat is on the mat", "dogs", "", "a b", "the dogs are on a b c d e"]
KEYS = ["word_emb", "lstm_outputs1", "lstm_outputs2", "elmo", "default"]


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedding(small_bilm())


def assert_same(results, expected):
    assert len(results) == len(expected)
    for result, other in zip(results, expected, strict=True):
        assert result.dtype == other.dtype
        np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("max_tokens", [9, 4096])
def test_sentences_are_those_of_a_call_in_their_order(elmo, key, max_tokens):
    expected = elmo(SENTENCES)[key].numpy()
    encoded = elmo.encode(SENTENCES, key, max_tokens=max_tokens)
    everything = elmo.encode(SENTENCES, None, max_tokens=max_tokens)
    assert list(everything) == KEYS
    for result, other, sentence, row in zip(
        encoded, everything[key], SENTENCES, expected, strict=True
    ):
        row = row if key == "default" else row[: len(sentence.split())]
        assert_close(result, row)
        assert_close(other, row)


def test_a_generator_is_read_as_results_are_taken(elmo):
    read = []

    def lines():
        for number in range(400):
            read.append(number)
            yield f"w{number} a b"

    stream = elmo.encode_stream(lines(), max_tokens=3)
    assert not read
    assert next(stream).shape == (8,)
    # Lines are split into tokens by the chunk.
    assert len(read) < 300
    assert len(list(stream)) == 399 and len(read) == 400


def test_every_kind_of_sequence_of_sentences(elmo):
    expected = elmo.encode(SENTENCES)
    tokens = [sentence.split() for sentence in SENTENCES]
    for kind in (
        tuple(SENTENCES),
        iter(SENTENCES),
        np.array(SENTENCES),
        np.array(SENTENCES, dtype=object),
        [sentence.encode() for sentence in SENTENCES],
        tokens,
        [np.array(row, dtype=object) for row in tokens],
        [SENTENCES[0], *tokens[1:3], *SENTENCES[3:]],
    ):
        assert_same(elmo.encode(kind), expected)


def test_pandas_series(elmo):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    series = pandas.Series(SENTENCES, index=range(7, 12))
    assert_same(elmo.encode(series), elmo.encode(SENTENCES))


def test_nothing_gives_nothing(elmo):
    assert elmo.encode([]).shape == (0, 8)
    assert elmo.encode([], "elmo") == []
    for sentences in ([""], [[]]):
        assert elmo.encode(sentences, "elmo")[0].shape == (0, 8)
        assert elmo.encode(sentences, "word_emb")[0].shape == (0, 4)
        np.testing.assert_array_equal(elmo.encode(sentences), np.zeros((1, 8)))


@pytest.mark.parametrize(
    "sentences", ["one sentence", b"one", 3, None, {"text": ["a"]}]
)
def test_what_is_no_list_of_sentences_is_refused_at_once(elmo, sentences):
    with refused("`sentences`", "a list of one"):
        elmo.encode_stream(sentences)


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        (float("nan"), ("nan", "sentence 1")),
        (None, ("None", "sentence 1")),
        (["a", 3], ("['a', 3]", "sentence 1")),
        ("a \ud800", ("valid Unicode", "sentence 1")),
        (["\udfff"], ("valid Unicode", "sentence 1")),
    ],
)
def test_what_is_no_sentence_is_refused_by_its_number(elmo, sentence, parts):
    with refused("`sentences`", *parts):
        elmo.encode(["a", sentence])


def test_other_arguments_are_refused(elmo):
    with refused("output_key"):
        elmo.encode(["a"], "elmoo")
    with refused("max_tokens"):
        elmo.encode(["a"], max_tokens=0)
    with refused("`vectors` and `others`", "(2,)"):
        elmo.similarity(np.ones(2), np.ones((1, 2)))


# Each pair of these is there once.
@pytest.mark.parametrize(
    ("boundaries", "options", "on_disk"),
    [
        (False, {}, 64 << 20),
        (True, {}, 100),
        (False, {"start_state": "warm"}, 100),
        (True, {"start_state": "warm"}, 64 << 20),
    ],
)
def test_windows_are_one_pass(boundaries, options, on_disk, monkeypatch):
    monkeypatch.setattr(long_sentence, "_ON_DISK", on_disk)
    elmo = ElmoEmbedding(small_bilm(), sentence_boundaries=boundaries, **options)
    if elmo.warm_state is not None:
        rng = np.random.default_rng(0)
        for variable in elmo.warm_state.variables:
            variable.assign(rng.standard_normal(variable.shape))
    sentences = [" ".join(f"w{i}" for i in range(23)), "a b"]
    whole = elmo.encode(sentences, None)
    windows = elmo.encode(sentences, None, max_tokens=5)
    for key in KEYS:
        for result, expected in zip(windows[key], whole[key], strict=True):
            assert_close(result, expected)
    is_on_disk = isinstance(windows["elmo"][0], np.memmap)
    assert is_on_disk == (on_disk == 100)


def count_chunks(elmo, monkeypatch):
    encode, chunks = elmo.stream._encode_tokens, []

    def counted(char_ids):
        chunks.append(tuple(char_ids.shape))
        return encode(char_ids)

    monkeypatch.setattr(elmo.stream, "_encode_tokens", counted)
    return chunks


def test_each_distinct_token_is_encoded_once(elmo, monkeypatch):
    chunks = count_chunks(elmo, monkeypatch)
    elmo.encode(["a b c d", "d c b a"] * 50, max_tokens=8)
    assert len(chunks) == 1


def test_tokens_are_encoded_in_chunks_of_one_size(elmo, monkeypatch):
    """Products of other sizes may round in another way, on one machine or another."""
    chunks = count_chunks(elmo, monkeypatch)
    elmo.encode([["a"], ["b"] * 3, [f"w{number}" for number in range(300)]])
    elmo.encode([["a" * 14], ["b" * 15]])  # and a byte more than the short ones
    assert set(chunks) == {(256, 16), (256, 50)}


def test_a_full_cache_changes_no_bit(elmo, monkeypatch):
    sentences = [f"w{i} w{i + 1} a" for i in range(60)] * 2
    expected = elmo.encode(sentences, "elmo", max_tokens=3)
    chunks = count_chunks(elmo, monkeypatch)
    monkeypatch.setattr(word_vectors, "_CAPACITY", 0)
    assert_same(elmo.encode(sentences, "elmo", max_tokens=3), expected)
    assert len(chunks) > 8  # some are computed again


def test_the_same_stream_gives_the_same_bytes(elmo):
    streams = [elmo.encode_stream(SENTENCES, "elmo", max_tokens=9) for _ in range(2)]
    assert_same(*map(list, streams))


@settings(deadline=None, derandomize=True, max_examples=5)
@given(st.permutations([*"abcdefghij", "a" * 30]), st.integers(1, 12))
def test_word_vectors_do_not_depend_on_their_company(elmo, tokens, max_tokens):
    alone = [elmo.encode([[token]], "word_emb")[0][0] for token in sorted(tokens)]
    (vectors,) = elmo.encode([tokens], "word_emb", max_tokens=max_tokens)
    assert_same(list(vectors[np.argsort(tokens)]), alone)


def test_center_and_normalize(elmo):
    plain = elmo.encode(SENTENCES)
    centered = plain - plain.mean(axis=0)
    assert_close(elmo.encode(SENTENCES, center=True), centered)
    both = elmo.encode(SENTENCES, center=True, normalize=True)
    norms = np.linalg.norm(centered, axis=1, keepdims=True)
    np.testing.assert_allclose(both, centered / norms, atol=1e-4)
    normalized = elmo.encode(SENTENCES, normalize=True)
    np.testing.assert_array_equal(normalized[2], np.zeros(8))
    tokens = elmo.encode(SENTENCES, "elmo")
    mean = np.concatenate(tokens).mean(axis=0)
    centered = elmo.encode(SENTENCES, "elmo", center=True)
    for result, matrix in zip(centered, tokens, strict=True):
        assert_close(result, matrix - mean)


def test_similarity_is_the_cosine(elmo):
    rng = np.random.default_rng(0)
    vectors, others = rng.standard_normal((3, 5)), rng.standard_normal((2, 5))
    vectors[1] = 0
    cosines = elmo.similarity(vectors, others)
    assert cosines.dtype == "float32" and cosines.shape == (3, 2)
    for row in (0, 2):
        for column in range(2):
            x, y = vectors[row], others[column]
            expected = x @ y / np.sqrt((x @ x) * (y @ y))
            np.testing.assert_allclose(cosines[row, column], expected, atol=1e-6)
    np.testing.assert_array_equal(cosines[1], [0, 0])


def test_cached_words_are_used():
    elmo = skip_elmo(cached_words=["the", "cat"])
    elmo.word_cache.word_emb.assign(elmo.word_cache.word_emb + 1)
    cached, other = elmo.encode([["the"], ["dog"]], "word_emb")
    plain = skip_elmo().encode([["the"], ["dog"]], "word_emb")
    assert_close(cached, plain[0] + 1)
    assert_close(other, plain[1])


def test_weights_may_change_between_calls():
    elmo = ElmoEmbedding(small_bilm(), finetune="all")
    for max_tokens in (2, 4096):
        elmo.encode(SENTENCES, max_tokens=max_tokens)
    for variable in elmo.variables:
        variable.assign(variable * 1.5 + 0.1)
    expected = elmo(SENTENCES)["default"]
    for max_tokens in (2, 4096):
        assert_close(elmo.encode(SENTENCES, max_tokens=max_tokens), expected)


@pytest.mark.slow
def test_under_xla():
    """Its batches are padded to buckets, tables of vectors too."""
    plain = skip_elmo(jit_compile=False)
    compiled = ElmoEmbedding(plain.bilm, jit_compile=True)
    compiled.set_weights(plain.get_weights())
    left, right = (
        elmo.encode(SENTENCES, output_key=None, max_tokens=40)
        for elmo in (compiled, plain)
    )
    for key in right:
        assert_close(list(left[key]), list(right[key]))


def test_normalisation_over_the_batch_is_refused():
    with refused('"row"', "Received: do_layer_norm=True"):
        skip_elmo(do_layer_norm=True).encode(["a"])
    assert len(skip_elmo(do_layer_norm="row").encode(["a"])) == 1
