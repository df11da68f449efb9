import collections
import gzip
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_elmo.pretraining import TextCorpus, Vocabulary
from keras_elmo.pretraining.packing import NO_TARGET

WORDS = ["a", "bb", "ccc", "dddd", "eeeee"]
VOCABULARY = Vocabulary(["<S>", "</S>", "<UNK>", *WORDS])


def write(path, sentences):
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    return TextCorpus(str(path))


def spell(char_ids):
    """The word that ids stand for, the boundaries of sentences included."""
    special = {257: "<S>", 258: "</S>"}
    content = [number for number in char_ids if number < 259]
    return special.get(content[0]) or bytes(n - 1 for n in content).decode()


def read(batches, direction):
    """What each row reads and predicts in turn, from batch to batch: (rows, pairs)."""
    rows = {}
    for batch in batches:
        step = -1 if direction == "backward" else 1
        index = np.array(batch[f"{direction}_index"])[:, ::step]
        targets = np.array(batch[f"{direction}_targets"])[:, ::step]
        for row in range(len(index)):
            rows.setdefault(row, []).extend(
                (spell(batch["char_ids"][i]), VOCABULARY.words[t])
                for i, t in zip(index[row], targets[row], strict=True)
                if t != NO_TARGET
            )
    return [rows[row] for row in sorted(rows)]


def expected_pairs(sentence, direction):
    tokens = ["<S>", *sentence, "</S>"]
    if direction == "backward":
        tokens.reverse()
    known = [word if word in VOCABULARY.words else "<UNK>" for word in tokens]
    return list(zip(tokens[:-1], known[1:], strict=True))


sentences = st.lists(
    st.lists(st.sampled_from([*WORDS, "unknown"]), min_size=1, max_size=9),
    min_size=1,
    max_size=20,
)


@settings(max_examples=8, deadline=None)
@given(sentences, st.integers(1, 4), st.integers(1, 5))
def test_in_order_reads_every_token_once(tmp_path_factory, text, batch_size, steps):
    corpus = write(tmp_path_factory.mktemp("text") / "text.txt", text)
    batches = list(corpus.in_order(VOCABULARY, batch_size, steps).as_numpy_iterator())
    for direction in ("forward", "backward"):
        rows = read(batches, direction)
        # Rows hold whole sentences, one row after the other in order.
        assert list(itertools.chain(*rows)) == [
            pair for sentence in text for pair in expected_pairs(sentence, direction)
        ]
        begin = "<S>" if direction == "forward" else "</S>"
        assert all(row[0][0] == begin for row in rows if row)
    assert [batch["continues"].tolist() for batch in batches] == [
        [[float(index > 0)]] * batch_size for index in range(len(batches))
    ]


def many_sentences(seed=0, count=500):
    rng = np.random.default_rng(seed)
    return [list(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(count)]


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def assert_same(batches, others):
    assert len(batches) == len(others) > 0
    for batch, other in zip(batches, others, strict=True):
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name])


def test_shuffled_order_is_of_the_seed_and_can_be_resumed(tmp_path):
    corpus = write(tmp_path / "text.txt", many_sentences())
    first = take(corpus.shuffled(VOCABULARY, 4, 5, seed=1), 60)
    assert_same(first, take(corpus.shuffled(VOCABULARY, 4, 5, seed=1), 60))
    assert_same(
        first[37:], take(corpus.shuffled(VOCABULARY, 4, 5, seed=1, skip=37), 23)
    )
    other = take(corpus.shuffled(VOCABULARY, 4, 5, seed=2), 1)[0]
    assert not np.array_equal(other["forward_targets"], first[0]["forward_targets"])


def test_shuffled_reads_each_sentence_once_an_epoch(tmp_path):
    text = many_sentences(count=400)
    corpus = write(tmp_path / "text.txt", text)
    # All 4 rows begin anew after 100 sentences each, which is once through the text.
    batches = []
    for batch in corpus.shuffled(VOCABULARY, 4, 5, seed=1).as_numpy_iterator():
        if batches and not batch["continues"].any():
            break
        batches.append(batch)
    for direction in ("forward", "backward"):
        pairs = list(itertools.chain(*read(batches, direction)))
        expected = [p for sentence in text for p in expected_pairs(sentence, direction)]
        seen, whole = collections.Counter(pairs), collections.Counter(expected)
        assert not seen - whole
        # Batches at the end, when most rows have ended, are left out.
        assert (whole - seen).total() < 0.02 * whole.total()
        assert pairs != expected[: len(pairs)]


def test_replicas_take_turns_with_rows_of_their_own(tmp_path):
    corpus = write(tmp_path / "text.txt", many_sentences())
    of_one = take(corpus.shuffled(VOCABULARY, 4, 5, seed=1), 10)
    of_two = take(corpus.shuffled(VOCABULARY, 2, 5, seed=1, num_replicas=2), 20)
    for step in range(10):
        halves = [of_two[2 * step]["forward_targets"], of_two[2 * step + 1]]
        halves[1] = halves[1]["forward_targets"]
        np.testing.assert_array_equal(
            np.concatenate(halves), of_one[step]["forward_targets"]
        )
    resumed = corpus.shuffled(VOCABULARY, 2, 5, seed=1, num_replicas=2, skip=3)
    assert_same(of_two[6:], take(resumed, 14))


def test_shards_share_the_lines(tmp_path):
    text = [[word] * 3 for word in WORDS[:4]]
    corpus = write(tmp_path / "text.txt", text)
    seen = []
    for index in range(2):
        shard = corpus.shuffled(VOCABULARY, 1, 8, seed=1, shard=(index, 2))
        rows = read(take(shard, 1), "forward")
        seen.append({word for word, _ in rows[0]} - {"<S>"})
    assert len(seen[0]) == len(seen[1]) == 2
    assert seen[0] | seen[1] == set(WORDS[:4])


def test_counts(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b  a\r\n\n   \n\xff b\n" + b"x " * 11)
    corpus = TextCorpus(path, max_sentence_length=10)
    words = {"a": 2, "b": 2, "\udcff": 1, "x": 11}
    assert corpus.measure() == (4, 3 + 2 + 11 + 4, 11, 1, words)


def test_long_lines_are_split_and_nothing_is_lost(tmp_path):
    write(tmp_path / "text.txt", [WORDS, [], WORDS[:2], ["a"]])
    corpus = TextCorpus(tmp_path / "text.txt", max_sentence_length=2)
    pieces = [["a", "bb"], ["ccc", "dddd"], ["eeeee"], ["a", "bb"], ["a"]]
    for direction in ("forward", "backward"):
        batches = corpus.in_order(VOCABULARY, 1, 4).as_numpy_iterator()
        (row,) = read(batches, direction)
        assert row == [p for piece in pieces for p in expected_pairs(piece, direction)]


def test_batches_are_full_and_blank_lines_go_to_no_shard(tmp_path):
    lines = [line for word in WORDS[:4] for line in ([word] * 3, [])] * 40
    write(tmp_path / "text.txt", [*lines, ["a"] * 400])
    corpus = TextCorpus(tmp_path / "text.txt")
    for index in range(2):
        shard = corpus.shuffled(VOCABULARY, 4, 50, seed=1, shard=(index, 2))
        fills = [np.mean(batch["forward_targets"] >= 0) for batch in take(shard, 40)]
        assert min(fills) > 0.5


def test_rows_that_fill_no_batch_make_one(tmp_path):
    corpus = write(tmp_path / "text.txt", [["a"]])
    # A row is 100 sentences of two tokens.
    batches = take(corpus.shuffled(VOCABULARY, 4, 500, seed=1), 3)
    assert [(batch["forward_targets"] >= 0).sum() for batch in batches] == [800] * 3


def test_several_patterns(tmp_path):
    for name in ("a1.txt", "a2.txt", "b.txt"):
        (tmp_path / name).write_text(name + "\n")
    corpus = TextCorpus([tmp_path / "a*.txt", tmp_path / "b.txt"])
    assert set(corpus.measure().word_counts) == {"a1.txt", "a2.txt", "b.txt"}


def test_every_pattern_matches_or_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(FileNotFoundError, match=r"none\*\.txt.*matches none"):
        TextCorpus([tmp_path / "a.txt", tmp_path / "none*.txt"])
    with pytest.raises(IsADirectoryError, match="is a folder"):
        TextCorpus(tmp_path)


def test_compressed_text_and_byte_order_marks(tmp_path):
    for name, text in (("a[1].txt", "\ufeffdogs ran\n\ufeff\n"), ("b.txt", "cats\n")):
        (tmp_path / name).write_text(text, "utf-8")
    with gzip.open(tmp_path / "c.txt.gz", "wt") as file:
        file.write("dogs\nslept\n")
    names = ["a[1].txt", "b.txt", "*.gz"]
    corpus = TextCorpus([tmp_path / name for name in names])
    counts = {"dogs": 2, "ran": 1, "cats": 1, "slept": 1}
    assert corpus.measure().word_counts == counts
    vocabulary = Vocabulary.from_counts(corpus.measure().word_counts)
    for batches in (
        corpus.in_order(vocabulary, 1, 20),
        corpus.shuffled(vocabulary, 1, 20, seed=1).take(1),
    ):
        (batch,) = batches
        words = {vocabulary.words[i] for i in batch["forward_targets"][0] if i >= 0}
        assert words == {"</S>", *counts}


@pytest.mark.parametrize("name", ["a.txt.xz", "a.bz2"])
def test_other_compression_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"packed")
    with pytest.raises(ValueError, match=r"as they are or as \.gz.*unpack"):
        TextCorpus([tmp_path / name])
    with pytest.raises(ValueError, match=r"at least one.*Received: \[\]"):
        TextCorpus([])


def test_addresses_are_refused():
    upath = pytest.importorskip("upath", reason="universal_pathlib is not installed")
    path = upath.UPath("memory://corpus/a.txt")
    path.write_text("a cat\n")
    with pytest.raises(ValueError, match=r"on this machine.*memory://corpus/a\.txt"):
        TextCorpus(str(path))


def test_no_text(tmp_path):
    (tmp_path / "empty.txt").write_text("\n  \n")
    corpus = TextCorpus(tmp_path / "empty.txt")
    with pytest.raises(ValueError, match=r"should hold words.*empty\.txt"):
        corpus.measure()
    assert list(corpus.in_order(VOCABULARY, 2, 3)) == []


@pytest.mark.parametrize("name", ["batch_size", "unroll_steps"])
def test_bad_sizes(tmp_path, name):
    corpus = write(tmp_path / "text.txt", [["a"]])
    arguments = {"batch_size": 1, "unroll_steps": 1, name: 0}
    with pytest.raises(ValueError, match=f"`{name}` should be a positive integer"):
        corpus.in_order(VOCABULARY, **arguments)
    with pytest.raises(ValueError, match=f"`{name}` should be a positive integer"):
        corpus.shuffled(VOCABULARY, **arguments, seed=1)
