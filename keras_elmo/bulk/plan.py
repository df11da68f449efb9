"""The text cut into shards, before any of it is embedded."""

from collections.abc import Iterable
from typing import NamedTuple

from keras_elmo.bulk.manifest import Shard, text_hash
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.bulk.tokens import count_tokens


class Plan(NamedTuple):
    """Shards, and where the text of each begins.

    Attributes:
        shards: In the order of the text.
        places: Of each shard, the number of a file and the offset in its text.
        text_bytes: Bytes of all lines.
    """

    shards: list[Shard]
    places: list[tuple[int, int]]
    text_bytes: int


def make_plan(
    source: TextSource,
    tokenizer: str,
    lines_per_shard: int | None = None,
    known: Iterable[Shard] = (),
) -> Plan:
    """Reads all of the text once, and counts.

    Args:
        source: The text.
        tokenizer: Name of one of `TOKENIZERS`.
        lines_per_shard: Defaults to None: as many as make 512 KiB of text.
        known: Shards whose tokens were counted before, by the same tokenizer.
    """
    counts = {shard.text: shard.tokens for shard in known}
    shards: list[Shard] = []
    places = []
    first_line = text_bytes = 0
    for file, offset, lines in source.parts(lines_per_shard):
        text = text_hash(lines)
        if text not in counts:
            counts[text] = count_tokens(lines, tokenizer)
        shards.append(Shard(first_line, len(lines), counts[text], text))
        places.append((file, offset))
        first_line += len(lines)
        text_bytes += sum(map(len, lines))
    return Plan(shards, places, text_bytes)


def read_lines(source: TextSource, plan: Plan, number: int) -> list[bytes]:
    """The lines of a shard, which have to be those of the plan.

    Raises:
        OSError: if a file vanished, or can't be read.
        ValueError: if a file was changed.
    """
    shard, place = plan.shards[number], plan.places[number]
    lines = source.read(*place, shard.lines)
    if text_hash(lines) != shard.text:
        raise ValueError(
            "Text should stay the same while it is embedded. Received: other lines "
            f"than at first in {source.names(place[0], shard.lines)}. Embed a copy of "
            "it, or start anew when it is complete"
        )
    return lines


def parse_share(share: str | None) -> tuple[int, int]:
    """The remainder and the divisor of the numbers of the shards to compute.

    Args:
        share: `"I/N"`, or None for all. I counts from 1 to N or from 0 to N - 1: N and
            0 mean the same shards, so that either way N runs leave none out.

    Raises:
        ValueError: if it is anything else.

    Example:

    >>> parse_share("1/4"), parse_share("4/4"), parse_share("0/4")
    ((1, 4), (0, 4), (0, 4))
    """
    if share is None:
        return 0, 1
    index, slash, count = share.partition("/")
    is_right = slash and all(
        part.isascii() and part.isdigit() for part in (index, count)
    )
    if not is_right or not 0 <= int(index) <= int(count) or int(count) < 1:
        raise ValueError(
            "`shard` should be I/N: part I of N, with I from 1 to N, or from 0 to "
            f"N - 1. Received: {share!r}. Give each process another I and the same N"
        )
    return int(index) % int(count), int(count)
