"""A recorded model as bilm-tf's code finds it: vocabulary, options, weights."""

from golden import Golden


class BilmTfFiles:
    """The files of a recorded model, with a vocabulary of all words of its batches."""

    def __init__(self, case, folder):
        self.golden = Golden(case)
        self.folder = folder
        self.pair = self.golden.options, self.golden.weights
        rows = [row for batch in self.golden.batches for row in batch]
        words = sorted({token for row in rows for token in row})
        # bilm-tf reads the boundaries wherever they stand.
        self.vocabulary = self.words(*words, "<S>", "</S>")

    def words(self, *words, name="vocabulary.txt"):
        """A vocabulary of these words."""
        path = self.folder / name
        path.write_text("\n".join(words), "utf-8")
        return path

    def masked(self, name, batch):
        """A recorded `(batch, layers, time, dim)`, 0 where there is no token."""
        mask = self.golden.arrays[f"mask_{batch}"]
        return self.golden.arrays[name] * mask[:, None, :, None]
