"""Sentences of about one length together, so that little of a batch is padding."""

from collections.abc import Iterable, Iterator, Sequence

# Batches of a window are sorted by length. More of them would hardly be more uniform,
# and their results have to wait for each other.
BATCHES_OF_WINDOW = 8


def windows(
    rows: Iterable[list[bytes]], max_tokens: int
) -> Iterator[list[list[bytes]]]:
    """Lists of rows that follow each other, each enough for some full batches.

    Args:
        rows: The tokens of each sentence.
        max_tokens: See `batches`.
    """
    window, tokens = [], 0
    for row in rows:
        window.append(row)
        tokens += max(len(row), 1)
        if tokens >= BATCHES_OF_WINDOW * max_tokens:
            yield window
            window, tokens = [], 0
    if window:
        yield window


def batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Indices of rows of about one length, as many as fit; longer rows alone.

    Args:
        lengths: The number of tokens of each row.
        max_tokens: The most positions of a batch, padding included.

    Example:

    >>> list(batches([3, 9, 2, 3], max_tokens=8))
    [[2, 0], [3], [1]]
    """
    batch: list[int] = []
    # The longest come last, so that the last one of a batch is what it is padded to.
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > max_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
