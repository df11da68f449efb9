import pytest
from refusal import refused

from keras_elmo.bulk.plan import make_plan, parse_share
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.bulk.tokens import count_tokens
from keras_elmo.text.sentences import token_lists
from keras_elmo.text.tokenizers import TOKENIZERS


def test_shards_follow_each_other(text):
    with TextSource(text) as source:
        plan = make_plan(source, "space", 4)
    assert [shard.first_line for shard in plan.shards] == [0, 4, 8]
    assert [shard.lines for shard in plan.shards] == [4, 4, 2]
    assert [shard.tokens for shard in plan.shards] == [13, 12, 7]
    assert len({shard.text for shard in plan.shards}) == 3
    assert plan.text_bytes == len(text.read_bytes()) - 10


def test_known_tokens_are_not_counted_again(text, monkeypatch):
    with TextSource(text) as source:
        plan = make_plan(source, "space", 4)
        monkeypatch.setitem(TOKENIZERS, "space", None)
        assert make_plan(source, "space", 4, plan.shards) == plan


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("first", [0, 1])
def test_shares_leave_out_nothing_however_they_are_counted(first, count):
    shares = [parse_share(f"{i}/{count}") for i in range(first, first + count)]
    assert sorted(shares) == [(i, count) for i in range(count)]


@pytest.mark.parametrize(
    "share", ["", "1", "/", "5/4", "-1/4", "1/0", "0/0", "a/b", "²/3"]
)
def test_shares_that_make_no_sense(share):
    with refused("I/N", repr(share)):
        parse_share(share)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_lines_are_split_as_the_embedding_does(tokenizer, monkeypatch):
    lines = [b"a  b,c\td", b"", b"\xff\x00", b"x" * 3000, "\u3000é\u00a0".encode()]
    together = TOKENIZERS[tokenizer](lines).to_list()
    assert list(token_lists(lines, tokenizer)) == together
    monkeypatch.setattr("keras_elmo.bulk.tokens._BYTES_PER_BLOCK", 2000)
    assert count_tokens(lines, tokenizer) == sum(map(len, together))
    assert list(token_lists([], tokenizer)) == [] and count_tokens([], tokenizer) == 0
