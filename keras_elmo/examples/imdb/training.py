"""Training that goes on after an interruption, and keeps the best epoch."""

import csv
import time
from pathlib import Path

import keras
import numpy as np

from keras_elmo.examples.imdb.batches import Batches

# A short rise and a long fall, as in Howard and Ruder 2018 (arXiv:1801.06146), though
# along a cosine.
_RISING_SHARE = 0.1
_FINAL_SHARE = 1 / 32


def fit(
    model: keras.Model,
    train: Batches,
    validation: Batches,
    epochs: int,
    learning_rate: float,
    folder: Path,
) -> dict[str, list[float]]:
    """Trains to the end, and loads the weights of the epoch that validated best.

    Args:
        model: The model, which is compiled here.
        train: What to train on.
        validation: What to choose the epoch by, never the test reviews.
        epochs: Times through `train`.
        learning_rate: Peak of the learning rate, see `schedule`.
        folder: Where the state of training is kept. It goes on from there.

    Returns:
        What Keras records, a list of `epochs` numbers for each metric, and their
        `"seconds"`.
    """
    steps = epochs * len(train)
    model.compile(
        keras.optimizers.Adam(schedule(learning_rate, steps)),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    # What was saved of it is loaded only into variables that are there.
    model.optimizer.build(model.trainable_variables)
    folder.mkdir(parents=True, exist_ok=True)
    log, best = folder / "history.csv", folder / "best.weights.h5"
    before = _read(log)
    if len(before.get("loss", ())) < epochs:
        model.fit(
            train,
            validation_data=validation,
            epochs=epochs,
            verbose=2,
            callbacks=[
                _Seconds(),
                keras.callbacks.ModelCheckpoint(
                    best,
                    monitor="val_accuracy",
                    mode="max",
                    save_best_only=True,
                    save_weights_only=True,
                    initial_value_threshold=max(
                        before.get("val_accuracy", ()), default=None
                    ),
                ),
                keras.callbacks.CSVLogger(log, append=True),
                # The last, since what is done is what it remembers.
                keras.callbacks.BackupAndRestore(folder / "backup"),
            ],
        )
    model.load_weights(best)
    return _read(log)


def schedule(
    peak: float, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """A learning rate that rises in a tenth of the steps, and falls for the rest."""
    rising = max(round(_RISING_SHARE * steps), 1)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(steps - rising, 1),
        alpha=_FINAL_SHARE,
        warmup_target=peak,
        warmup_steps=rising,
    )


def predict(model: keras.Model, batches: Batches) -> np.ndarray:
    """Probabilities `(n,)` in the order of the reviews."""
    numbers = batches.numbers
    probabilities = np.zeros(len(numbers), "float32")
    probabilities[numbers] = model.predict(batches, verbose=0)[:, 0]
    return probabilities


class _Seconds(keras.callbacks.Callback):
    """Adds to what is recorded how long an epoch took."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["seconds"] = time.monotonic() - self._start


def _read(log: Path) -> dict[str, list[float]]:
    """What a CSVLogger wrote. An epoch that was interrupted late is there twice."""
    if not log.is_file():
        return {}
    with log.open(newline="") as file:
        epochs = {row.pop("epoch"): row for row in csv.DictReader(file)}
    names = next(iter(epochs.values()), {})
    return {name: [float(row[name]) for row in epochs.values()] for name in names}
