"""A stand-in for the engine's `encode_stream`, batch by batch."""

import itertools

import numpy as np


def encode_stream(self, sentences, output_key="default", max_tokens=None):
    """See the engine."""
    rows = iter(sentences)
    while batch := list(itertools.islice(rows, 32)):
        if isinstance(batch[0], str):
            batch = [[t for t in row.split(" ") if t] for row in batch]
        outputs = self({"tokens": _pad(batch), "sequence_len": list(map(len, batch))})
        outputs = {key: np.asarray(value) for key, value in outputs.items()}
        for index, row in enumerate(batch):
            one = {
                key: value[index] if key == "default" else value[index, : len(row)]
                for key, value in outputs.items()
            }
            yield one if output_key is None else one[output_key]


def _pad(batch):
    length = max(1, *map(len, batch)) if len(batch) > 1 else max(1, len(batch[0]))
    return np.array([[*row, *[b""] * (length - len(row))] for row in batch], object)
