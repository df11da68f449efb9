"""What AllenNLP computed of ten batches, see `fixtures/README.md`."""

import json

import numpy as np
from golden import FIXTURES, Golden

CASES = ("skip", "clipped")
VOCABULARY = ["@@PADDING@@", "the", "cat", "sat", "on", "a", "mat"]
MIX = [0.5, -1.0, 2.0]


class AllenNLPRun:
    """A model's files, ten batches of tokenized sentences, and AllenNLP's outputs.

    `others` names a batch that `kept`, `normalized`, `ids` and so on are of.
    """

    def __init__(self, case):
        golden = Golden(case)
        self.files = golden.options, golden.weights
        with np.load(FIXTURES / "allennlp" / "batches.npz") as arrays:
            self.batches = json.loads(arrays["batches"].item())
            self.arrays = {
                name.removeprefix(f"{case}/"): arrays[name]
                for name in arrays.files
                if name.startswith(f"{case}/")
            }
        self.others = self.batches[3]

    def layers(self, name):
        """Of each batch, the list of its sentences' layers `(3, tokens, dim)`."""
        rest = self.arrays[name].swapaxes(0, 1)  # (3, tokens of all batches, dim)
        batches = []
        for batch in self.batches:
            sentences = []
            for tokens in batch:
                sentences.append(rest[:, : len(tokens)])
                rest = rest[:, len(tokens) :]
            batches.append(sentences)
        assert rest.shape[1] == 0
        return batches


def numbers_of(batch):
    """Word ids by `VOCABULARY`; of another word one that is too large."""
    words = np.zeros((len(batch), max(map(len, batch))), "int64")
    for row, tokens in zip(words, batch, strict=True):
        for place, token in enumerate(tokens):
            known = token in VOCABULARY
            row[place] = VOCABULARY.index(token) if known else len(VOCABULARY)
    return words
