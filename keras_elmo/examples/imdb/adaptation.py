"""The biLM goes on to learn from reviews, whose labels it never sees."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_elmo.cli.lines import read_lines
from keras_elmo.cli.main import main as keras_elmo_command
from keras_elmo.examples.imdb.layers import first_tokens
from keras_elmo.examples.imdb.reviews import read_unlabelled

# Sentences are joined up to so many tokens, since most reviews have no more.
_TOKENS_OF_A_LINE = 400


def unlabelled_text(data: Path, text: Path | None, max_tokens: int) -> list[str]:
    """Reviews without a label, as lines of tokens.

    Args:
        data: The folder `aclImdb`, or the tar.gz that holds it.
        text: A file of tokens joined by spaces to read in place of `data`. Its lines
            may be sentences: neighbours are joined to lines as long as reviews, since
            a biLM that is to read reviews should learn from text of that length.
        max_tokens: Tokens of a review of `data` to read.

    Raises:
        ValueError: if there are none.
    """
    if text is not None:
        return list(_joined(read_lines(text)))
    reviews = read_unlabelled(data)
    if not reviews:
        raise ValueError(
            "`data` should have reviews without a label in train/unsup for --adapt. "
            f"Received: {data} without any. Name a text by --adapt-text"
        )
    return first_tokens(reviews, max_tokens)


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Neighbouring lines, joined while there is room."""
    tokens: list[str] = []
    for line in lines:
        added = line.split()
        if tokens and len(tokens) + len(added) > _TOKENS_OF_A_LINE:
            yield " ".join(tokens)
            tokens = []
        tokens += added
    if tokens:
        yield " ".join(tokens)


def adapted_preset(folder: Path) -> Path:
    """Where `adapt` leaves its weights at the end."""
    return folder / "preset"


def adapt(
    source: Sequence[str], text: Path, epochs: float, seed: int, folder: Path
) -> list[str]:
    """Trains a biLM on text, as `keras-elmo train --from` does; goes on if interrupted.

    Args:
        source: The weights to go on from.
        text: A file of tokens joined by spaces, one sentence or review a line.
        epochs: Times through the text.
        seed: Seed of the order of the text.
        folder: Where checkpoints and the new weights go.

    Returns:
        The weights, as `source` names them.

    Raises:
        SystemExit: if that command fails; it has printed why.
    """
    preset = adapted_preset(folder)
    if not preset.is_dir():
        keras_elmo_command(
            [
                "train",
                *("--from", *source),
                *("--text", str(text)),
                *("--output", str(folder)),
                *("--epochs", str(epochs)),
                # A pass or two over so much text is not enough to learn it by heart,
                # and a small sample of words is quicker.
                *("--num-samples", "4096"),
                *("--dropout", "0"),
                *("--seed", str(seed)),
            ]
        )
    return [str(preset)]
