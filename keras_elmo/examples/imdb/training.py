"""Training that goes on after an interruption, and keeps the best epoch."""

import time
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from keras_elmo.examples.imdb.batches import Batches
from keras_elmo.examples.imdb.result import Result
from keras_elmo.files.run_record import RunRecord
from keras_elmo.files.strict_json import read_object, write_object
from keras_elmo.pretraining.saved_variables import load_variables, save_variables

# A short rise and a long fall, as in Howard and Ruder 2018 (arXiv:1801.06146), though
# along a cosine.
_RISING_SHARE = 0.1
_FINAL_SHARE = 1 / 32


def train_and_test(
    name: str,
    model: keras.Model,
    batches: Mapping[str, Batches],
    seed: int,
    epochs: int,
    learning_rate: float,
    folder: Path,
    clip_norm: float | None = None,
) -> Result:
    """Trains on the batches `"train"`, and tells those of `"test"`; see `fit`."""
    train, validation = batches["train"], batches["validation"]
    history = fit(
        model, train, validation, seed, epochs, learning_rate, folder, clip_norm
    )
    probabilities = predict(model, batches["test"])
    return Result(name, probabilities, sum(history["seconds"]), history)


def fit(
    model: keras.Model,
    train: Batches,
    validation: Batches,
    seed: int,
    epochs: int,
    learning_rate: float,
    folder: Path,
    clip_norm: float | None = None,
) -> dict[str, list[float]]:
    """Trains to the end, and loads the weights of the epoch that validated best.

    After an interruption it goes on with the next epoch, as if there had been none.

    Args:
        model: The model, which is compiled here.
        train: What to train on.
        validation: What to choose the epoch by, never the test reviews.
        seed: Seed of the order of `train`, which is another in each epoch.
        epochs: Times through `train`.
        learning_rate: Peak of the learning rate, see `schedule`.
        folder: Where weights and records of each epoch are kept.
        clip_norm: Bound of the gradients' global norm. Defaults to None: there is none.

    Returns:
        What Keras records, a list of `epochs` numbers for each metric, and their
        `"seconds"`.

    Raises:
        FloatingPointError: if the loss is no longer finite; what was kept stays.
        ValueError: if a file in `folder` is damaged, or of another model, or of a
            training with other values of these arguments.
    """
    rates = schedule(learning_rate, epochs * len(train))
    model.compile(
        keras.optimizers.Adam(rates, global_clipnorm=clip_norm),
        "binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA would compile anew for each size of a batch
    )
    # Its state may be loaded before the first step would make it.
    model.optimizer.build(model.trainable_variables)
    folder.mkdir(parents=True, exist_ok=True)
    options = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    record = RunRecord(folder / "run.json", {**options, "clip_norm": clip_norm})
    if not record.is_resumed():
        record.write()
    history = _read(folder)
    if 0 < len(history) < epochs:
        load_variables(_path(folder, len(history) - 1), _state(model))
    for epoch in range(len(history), epochs):
        start = time.monotonic()
        told = model.fit(
            train.shuffled(seed, epoch),
            validation_data=validation.in_order(),
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=2,
            callbacks=[keras.callbacks.TerminateOnNaN()],
        )
        seconds = time.monotonic() - start
        numbers = {name: values[-1] for name, values in told.history.items()}
        _check_finite(numbers, epoch)
        history.append({**numbers, "seconds": seconds})
        _write(folder, model, history)
    accuracies = [numbers["val_accuracy"] for numbers in history]
    load_variables(_path(folder, int(np.argmax(accuracies))), _state(model))
    return {name: [numbers[name] for numbers in history] for name in history[0]}


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
    numbers = batches.order()
    probabilities = np.zeros(len(numbers), "float32")
    probabilities[numbers] = model.predict(batches.in_order(), verbose=0)[:, 0]
    return probabilities


def _check_finite(numbers: Mapping[str, float], epoch: int) -> None:
    """Refuses weights that would be saved, and tested, as if they were trained."""
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise FloatingPointError(
                f"Training diverged: {name} is not finite in epoch {epoch + 1}, of "
                "which nothing is kept. Train into another folder, with a lower "
                "learning rate."
            )


def _state(model: keras.Model) -> dict[str, keras.Variable]:
    """Weights, random generators and the optimizer, by number."""
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [*model.variables, *model.optimizer.variables]
    kept = [variable for variable in variables if id(variable) not in metrics]
    return {str(index): variable for index, variable in enumerate(kept)}


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch + 1}.npz"


def _read(folder: Path) -> list[dict[str, float]]:
    """What is recorded of each epoch that is done, and whose weights are there."""
    path = folder / "history.json"
    history = read_object(path)["epochs"] if path.is_file() else []
    is_there = [_path(folder, epoch).is_file() for epoch in range(len(history))]
    return history[: [*is_there, False].index(False)]


def _write(folder: Path, model: keras.Model, history: list[dict[str, float]]) -> None:
    """Writes the state after the last epoch, and then that it is done."""
    save_variables(_path(folder, len(history) - 1), _state(model))
    write_object(folder / "history.json", {"epochs": history})
