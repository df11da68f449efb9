"""What a run will take, told before it starts."""

import collections
import dataclasses
import errno
import itertools
import math
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_elmo.bulk.run import Run
from keras_elmo.files.units import format_bytes, format_seconds

_SAMPLE_SENTENCES = 32
_SAMPLE_TOKENS = 64  # of one sentence
_SHORT_WORK = 20  # seconds
# For longer work the sample is as many sentences as take about so long if they have ten
# tokens. If they are longer, so is the measurement, which such work can bear.
_SAMPLE_SECONDS = 1
_TOKENS_OF_A_SENTENCE = 10
_DATASET_BYTES = 400  # of a dataset of HDF5 without its numbers
_SHARD_BYTES = 8192  # of a shard without its lines, and of what the manifest says of it
_LINE_BYTES = 16  # of a line without its tokens and vectors


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Bytes, time and free disk.

    Attributes:
        sentences: Lines to embed.
        tokens: Their tokens.
        vector_bytes: Bytes of their vectors, exactly.
        disk_bytes: About how many the disk needs, at the most at once.
        free_bytes: How many it has.
        tokens_per_second: As measured on some of the text; or None.
        folder: Which disk is meant.
    """

    sentences: int
    tokens: int
    vector_bytes: int
    disk_bytes: int
    free_bytes: int
    tokens_per_second: float | None
    folder: Path

    @classmethod
    def of(cls, run: Run, work: list[int]) -> "Forecast":
        """What shards of a run will take.

        Args:
            run: The run.
            work: The numbers of the shards, at least one.
        """
        shards = [run.manifest.shards[number] for number in work]
        folder = run.output.parent
        return cls(
            sentences=sum(shard.lines for shard in shards),
            tokens=sum(shard.tokens for shard in shards),
            vector_bytes=_vector_bytes(run, work),
            disk_bytes=_most_disk_bytes(run, work),
            free_bytes=shutil.disk_usage(folder).free,
            tokens_per_second=_measure_speed(run, work),
            folder=folder,
        )

    def lines(self) -> Iterator[str]:
        """What to tell the user."""
        yield (
            f"to embed: {self.sentences:,} sentences, {self.tokens:,} tokens; "
            f"{self.vector_bytes:,} bytes of vectors"
        )
        yield (
            f"disk: about {format_bytes(self.disk_bytes)} at the most at once; "
            f"{format_bytes(self.free_bytes)} free in {self.folder}"
        )
        if self.tokens_per_second:
            seconds = format_seconds(self.tokens / self.tokens_per_second)
            yield (
                f"time: about {seconds}, at {self.tokens_per_second:,.0f} tokens/s of "
                "one process, as measured on the first sentences"
            )

    def check_disk(self) -> None:
        """Refuses to start what the disk has no place for.

        Raises:
            OSError: if it hasn't.
        """
        if self.disk_bytes > self.free_bytes:
            raise OSError(
                errno.ENOSPC,
                f"About {format_bytes(self.disk_bytes)} are needed and "
                f"{format_bytes(self.free_bytes)} are free. Nothing was written. Store "
                "less by `--layers` or `--dtype`, name another disk, or start "
                "all the same by `--ignore-free-space`",
                os.fspath(self.folder),
            )


def _most_disk_bytes(run: Run, work: list[int]) -> int:
    """About how many bytes of this machine's disk are needed, at the most at once."""
    if run.output.is_elsewhere:
        return max(_disk_bytes(run, [number]) for number in work)
    return _disk_bytes(run, work)


def _disk_bytes(run: Run, work: list[int]) -> int:
    """About how many bytes the files of these shards need, at the most at once."""
    manifest = run.manifest
    shards = [manifest.shards[number] for number in work]
    share = sum(s.lines for s in shards) / max(1, manifest.lines)
    parts = _vector_bytes(run, work) + share * 2 * run.plan.text_bytes
    parts += sum(_LINE_BYTES * s.lines + _SHARD_BYTES for s in shards)
    if run.output.format.assemble:
        everything = range(len(manifest.shards))
        parts += _vector_bytes(run, everything) + 2 * run.plan.text_bytes
        parts += _DATASET_BYTES * manifest.lines
    return math.ceil(parts)


def _vector_bytes(run: Run, numbers: Iterable[int]) -> int:
    layouts = [run.manifest.layout(number) for number in numbers]
    return sum(layout.rows * layout.row_bytes for layout in layouts)


def _measure_speed(run: Run, work: list[int]) -> float | None:
    """About how many tokens a second are embedded, or None if there are none."""
    sentences = (tokens[:_SAMPLE_TOKENS] for tokens in run.tokens_of(work[0]))
    sample = list(itertools.islice(sentences, _SAMPLE_SENTENCES))
    _time(run, sample[:1])  # what is done but once is not measured
    speed = _time(run, sample)
    tokens = sum(run.manifest.shards[number].tokens for number in work)
    if tokens > _SHORT_WORK * speed:  # few sentences keep no machine busy
        count = round(_SAMPLE_SECONDS * speed / _TOKENS_OF_A_SENTENCE)
        more = itertools.islice(sentences, count)
        speed = _time(run, [*sample, *more])
    return speed or None


def _time(run: Run, sample: list[list[bytes]]) -> float:
    """Tokens a second."""
    start = time.monotonic()
    stream = run.elmo.encode_stream(iter(sample), run.layers.output_key)
    collections.deque(stream, maxlen=0)
    return sum(map(len, sample)) / max(time.monotonic() - start, 1e-9)
