"""The recorded models of `fixtures/`."""

import json
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = ("skip", "noskip_tanh", "clipped", "noproj")
TOLERANCE = {"rtol": 0, "atol": 1e-5}


class Golden:
    """A model's files, its two batches, and what the authors' code made of them."""

    def __init__(self, case):
        folder = FIXTURES / case
        self.case = case
        self.options = folder / "options.json"
        self.weights = folder / "weights.hdf5"
        self.files = {"options": self.options, "weights": self.weights}
        self.batches = json.loads((folder / "sentences.json").read_text("utf-8"))
        with np.load(folder / "golden.npz") as arrays:
            self.arrays = dict(arrays)

    def sentences(self, batch):
        return [" ".join(tokens) for tokens in self.batches[batch]]

    def tokens(self, batch):
        """The signature `tokens` of a batch, its padding filled with nonsense."""
        rows = self.batches[batch]
        longest = max(map(len, rows))
        return {
            "tokens": [row + ["?"] * (longest - len(row)) for row in rows],
            "sequence_len": [len(row) for row in rows],
        }

    def expected(self, name, batch):
        """List of the layers `(batch, time, ...)`, 0 at padding as our outputs."""
        layers = self.arrays[name] * self.arrays[f"mask_{batch}"][:, None, :, None]
        word_emb, *lstm_outputs = np.moveaxis(layers, 1, 0)
        # The recorded word_emb is doubled to the width of the others.
        halves = np.split(word_emb, 2, axis=-1)
        np.testing.assert_array_equal(*halves)
        return [halves[0], *lstm_outputs]


def assert_close(actual, expected, atol=1e-5, where="outputs"):
    """Compares arrays to `atol`, or lists and dictionaries of them at any depth."""
    if isinstance(expected, dict):
        assert set(actual) == set(expected), where
        pairs = [(key, actual[key], expected[key]) for key in expected]
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected), where
        pairs = zip(range(len(expected)), actual, expected, strict=True)
    else:
        left, right = np.asarray(actual), np.asarray(expected)
        np.testing.assert_allclose(left, right, rtol=0, atol=atol, err_msg=where)
        return
    for key, left, right in pairs:
        assert_close(left, right, atol, f"{where}[{key!r}]")
