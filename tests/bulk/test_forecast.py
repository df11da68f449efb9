from pathlib import Path

import pytest

from keras_elmo.bulk.forecast import Forecast


def lines(**kwargs):
    values = {
        "sentences": 1_000,
        "tokens": 12_000,
        "vector_bytes": 36_864_000,
        "disk_bytes": 40_000_000,
        "free_bytes": 64_000_000_000,
        "tokens_per_second": 400.0,
        "folder": Path("folder"),
    }
    return list(Forecast(**{**values, **kwargs}).lines())


def test_lines():
    assert lines() == [
        "to embed: 1,000 sentences, 12,000 tokens; 36,864,000 bytes of vectors",
        "disk: about 40.0 MB at the most at once; 64.0 GB free in folder",
        "time: about 30 s, at 400 tokens/s of one process, as measured on the first "
        "sentences",
    ]
    assert len(lines(tokens_per_second=None)) == 2


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        (1, "about 1 s,"),
        (400 * 300, "about 5 min,"),
        (400 * 7200, "about 2.0 h,"),
        (10**9, "about 28.9 days,"),
    ],
)
def test_time(tokens, told):
    assert told in lines(tokens=tokens)[2]
