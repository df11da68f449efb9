"""The biLM goes on to learn from reviews, whose labels it never sees."""

from collections.abc import Sequence
from pathlib import Path

from keras_elmo.cli.main import main as keras_elmo_command


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
    preset = folder / "preset"
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
