"""The reviews as they come: a folder or an archive with a file for each."""

import collections
import dataclasses
import random
import re
import tarfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from keras_elmo.examples.imdb.layers import first_tokens

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
HASH = "md5:7c2ac02c03563afcf9b574c7e56c153a"
_NEXT_STEP = f"Leave --data out to fetch it, or get it from {URL}"
_LABELS = {"neg": 0, "pos": 1}
_UNLABELLED = "unsup"
# A number and the stars given. Systems that unpack archives may leave other files.
_FILE_NAME = re.compile(r"\d+_\d+\.txt")


@dataclasses.dataclass(frozen=True)
class Reviews:
    """Reviews and their labels.

    Args:
        texts: The reviews, raw.
        tokens: What is read of each, tokens joined by spaces.
        labels: float32 `(n,)`, 1 for a positive review.
    """

    texts: list[str]
    tokens: list[str]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, part: slice) -> "Reviews":
        return Reviews(self.texts[part], self.tokens[part], self.labels[part])


def read_reviews(
    data: Path, split: str, max_tokens: int, limit: int | None, seed: int
) -> Reviews:
    """The reviews of `train` or `test`, shuffled, as many of either label.

    Args:
        data: The folder `aclImdb`, or the tar.gz that holds it.
        split: `"train"` or `"test"`.
        max_tokens: Tokens of a review to read, from its beginning.
        limit: Number of reviews to keep, or None for all.
        seed: Seed of the order, and so of what is kept.

    Raises:
        ValueError: if `data` can't be read, or there are not as many reviews of either
            label, as where an archive was unpacked in part.
    """
    by_label: dict[str, list[str]] = {label: [] for label in _LABELS}
    for label, _, text in sorted(_read(data, split, _LABELS)):
        by_label[label].append(text)
    counts = {label: len(texts) for label, texts in by_label.items()}
    if len(set(counts.values())) > 1 or not counts["pos"]:
        found = ", ".join(f"{count:,} {label}" for label, count in counts.items())
        raise ValueError(
            "`data` should be a folder `aclImdb`, or its tar.gz, with as many files "
            f"{split}/pos/NUMBER_STARS.txt as {split}/neg/NUMBER_STARS.txt. Received: "
            f"{data} with {found}. {_NEXT_STEP}"
        )
    rng = random.Random(seed)
    half = None if limit is None else limit // 2
    reviews = []
    for label, texts in by_label.items():
        rng.shuffle(texts)
        reviews += [(text, _LABELS[label]) for text in texts[:half]]
    rng.shuffle(reviews)
    labels = np.array([label for _, label in reviews], dtype="float32")
    shuffled = [text for text, _ in reviews]
    return Reviews(shuffled, first_tokens(shuffled, max_tokens), labels)


def frequent_words(reviews: Reviews, count: int) -> list[str]:
    """The words that are most frequent, in lower case, the most frequent first."""
    counts = collections.Counter(
        word for tokens in reviews.tokens for word in tokens.lower().split()
    )
    return [word for word, _ in counts.most_common(count)]


def read_unlabelled(data: Path) -> list[str]:
    """The reviews without a label, which may be none."""
    return [text for _, _, text in sorted(_read(data, "train", [_UNLABELLED]))]


def _read(
    data: Path, split: str, labels: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """(label, file name, text) of each review, in any order."""
    files = _read_folder(data, split, labels) if data.is_dir() else _read_archive(data)
    for parts, content in files:
        is_asked_for = len(parts) == 3 and parts[0] == split and parts[1] in labels
        if is_asked_for and _FILE_NAME.fullmatch(parts[2]):
            yield parts[1], parts[2], content.decode("utf-8", errors="replace")


def _read_folder(
    data: Path, split: str, labels: Collection[str]
) -> Iterator[tuple[tuple[str, ...], bytes]]:
    root = data / "aclImdb" if (data / "aclImdb").is_dir() else data
    for label in labels:
        for path in root.glob(f"{split}/{label}/*.txt"):
            yield path.relative_to(root).parts, path.read_bytes()


def _read_archive(data: Path) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Path below `aclImdb` and content of each text file; nothing is unpacked."""
    try:
        with tarfile.open(data, "r:gz") as archive:
            for member in archive:
                parts = Path(member.name).parts
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and member.name.endswith(".txt"):
                    yield parts[parts.index("aclImdb") + 1 :], content.read()
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise ValueError(
            f"`data` should be a folder `aclImdb`, or its tar.gz. Received: {data} "
            f"({error}). {_NEXT_STEP}"
        ) from error
