"""Sentiment of film reviews (Maas et al. 2011) from ELMo embeddings.

    python -m keras_elmo.examples.imdb --data aclImdb_v1.tar.gz

trains a small classifier on ELMo, prints its accuracy on the test reviews, and
writes `model.keras` and `curves.png`.
"""

import argparse
import random
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding
from keras_elmo.cli.help import WEIGHTS, HelpFormatter
from keras_elmo.files.cache import cache_dir
from keras_elmo.files.download import download
from keras_elmo.plots import import_figure, plot_curves

_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
_HASH = "md5:7c2ac02c03563afcf9b574c7e56c153a"
_NEXT_STEP = f"Leave --data out to fetch it, or get it from {_URL}"
_LABELS = {"neg": 0, "pos": 1}

# The reviews of one split and their labels, each of shape (n,), as Keras takes them.
Split = tuple[np.ndarray, np.ndarray]


def main(arguments: list[str] | None = None) -> None:
    """Runs the script; mistakes of the user end in one line, not a traceback."""
    args = _parse(arguments)
    try:
        run(args)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(f"imdb: {error}")


def run(args: argparse.Namespace) -> None:
    """Trains, tests and writes a classifier."""
    import_figure()  # an error now, not after hours
    keras.utils.set_random_seed(args.seed)
    # Without this, the same seed does not give the same result to the last bit.
    tf.config.experimental.enable_op_determinism()
    args.output.mkdir(parents=True, exist_ok=True)
    data = args.data or download(_URL, cache_dir() / "imdb", _HASH)
    train, test = (
        read_split(data, split, args.max_words, args.limit, args.seed)
        for split in ("train", "test")
    )
    print(f"{len(train[0])} training reviews, {len(test[0])} test reviews")

    elmo = ElmoEmbedding.from_preset(
        args.elmo,
        output_key="default",
        finetune=args.finetune,
        name="elmo",
    )
    model = build_model(elmo)
    model.summary()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        *train,
        # Keras takes the last reviews, which are any, since the order is random.
        validation_split=args.validation_split,
        epochs=args.epochs,
        batch_size=args.batch_size,
    )
    loss, accuracy = model.evaluate(*test, batch_size=args.batch_size)
    print(f"test accuracy {accuracy:.4f}, test loss {loss:.4f}")

    model.save(args.output / "model.keras")
    plot_curves(history.history).savefig(args.output / "curves.png")
    print(f"wrote {args.output / 'model.keras'} and {args.output / 'curves.png'}")


def build_model(elmo: ElmoEmbedding) -> keras.Model:
    """A review's mean embedding, one hidden layer, the probability of `pos`."""
    text = keras.Input(shape=(), dtype="string")
    x = elmo(text)
    # Means over 150 tokens differ little from review to review.
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    x = keras.layers.Dense(256, activation="relu")(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(text, keras.layers.Dense(1, activation="sigmoid")(x))


def read_split(
    data: Path, split: str, max_words: int, limit: int | None, seed: int
) -> Split:
    """The reviews of `train` or `test`, shuffled, as many of either label.

    Args:
        data: The folder `aclImdb`, or the tar.gz that holds it.
        split: `"train"` or `"test"`.
        max_words: Words of a review to keep, from its beginning.
        limit: Number of reviews to keep, or None for all.
        seed: Seed of the order, and so of what is kept.

    Raises:
        ValueError: if there are no reviews in `data`.
    """
    rng = random.Random(seed)
    reviews = sorted(_read_reviews(data, split))
    rng.shuffle(reviews)
    if limit is not None:
        half = limit // 2
        by_label = ([r for r in reviews if r[0] == label] for label in (0, 1))
        reviews = [review for label in by_label for review in label[:half]]
        rng.shuffle(reviews)
    if not reviews:
        raise ValueError(
            "`data` should be a folder `aclImdb`, or its tar.gz, with "
            f"{split}/pos/*.txt and {split}/neg/*.txt. Received: {data}. {_NEXT_STEP}"
        )
    texts = [" ".join(text.split()[:max_words]) for _, _, text in reviews]
    labels = [label for label, _, _ in reviews]
    return np.array(texts, dtype=object), np.array(labels, dtype="float32")


def _read_reviews(data: Path, split: str) -> Iterator[tuple[int, str, str]]:
    """(label, file name, text) of each review, in any order."""
    files: Iterator[tuple[tuple[str, ...], bytes]]
    if data.is_dir():
        root = data / "aclImdb" if (data / "aclImdb").is_dir() else data
        files = (
            (path.relative_to(root).parts, path.read_bytes())
            for path in root.glob(f"{split}/*/*.txt")
        )
    else:
        files = _read_archive(data)
    for parts, content in files:
        if len(parts) == 3 and parts[0] == split and parts[1] in _LABELS:
            text = content.decode("utf-8", errors="replace").replace("<br />", " ")
            yield _LABELS[parts[1]], parts[2], text


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


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m keras_elmo.examples.imdb",
        description="Train a sentiment classifier on ELMo embeddings.",
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder or tar.gz (default: download the tar.gz)")
    add("--elmo", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    add("--finetune", choices=["lstm", "all"], help="train this of the biLM too")
    add("--max-words", type=int, default=150, help="words of a review to keep")
    add("--limit", type=int, help="number of reviews of each split (default: all)")
    add("--validation-split", type=float, default=0.1, help="share of the train split")
    add("--epochs", type=int, default=3)
    add("--batch-size", type=int, default=32)
    add("--seed", type=int, default=1)
    add("--output", type=Path, default=Path("imdb_output"), help="folder to write to")
    args = parser.parse_args(arguments)
    if args.limit is not None and args.limit < 2:
        parser.error("--limit should be at least 2, a review of either label")
    for name in ("max_words", "epochs", "batch_size"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} should be at least 1")
    if not 0 <= args.validation_split < 1:
        parser.error("--validation-split should be at least 0 and less than 1")
    return args


if __name__ == "__main__":
    main()
