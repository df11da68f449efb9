import os
import re
import shutil
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np

from keras_elmo.pretraining.saved_variables import load_variables, save_variables

_KEPT = 2
_PATTERN = re.compile(r"step-(\d+)\.npz")


class Checkpoint(keras.callbacks.Callback):
    """Saves the state of training after each epoch of `fit`, if it is finite.

    Unlike `keras.callbacks.BackupAndRestore`, it leaves no incomplete file, however the
    process ends; it keeps the last file until the next one is complete; and it saves
    no weights that are not finite. A file holds the weights, the carried state of this
    process, the optimizer, and the state of random generators.

    Args:
        folder: Folder to save in, created where it is missing. The last two files are
            kept.

    Raises:
        FloatingPointError: if the loss or a weight is no longer finite.
        OSError: if a file can't be written.
    """

    def __init__(self, folder: str | os.PathLike):
        super().__init__()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        # A process that is killed while it saves leaves its temporary folder.
        for leftover in self.folder.glob(".step-*"):
            shutil.rmtree(leftover)

    def steps(self) -> list[int]:
        """The steps of which there is a file, in ascending order."""
        matches = map(_PATTERN.fullmatch, os.listdir(self.folder))
        return sorted(int(match[1]) for match in matches if match)

    def restore(self, model: keras.Model, step: int) -> None:
        """Loads the file of `step` into a compiled model, its optimizer built.

        Raises:
            ValueError: if the file is broken, or belongs to another model.
        """
        load_variables(self._path(step), _variables(model))

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self._stop("the loss")

    def on_epoch_end(self, epoch, logs=None):
        for variable in self.model.trainable_variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                self._stop(variable.path)
        path = self._path(int(self.model.optimizer.iterations.numpy()))
        save_variables(path, _variables(self.model))
        for step in self.steps()[:-_KEPT]:
            self._path(step).unlink()

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08}.npz"

    def _stop(self, name: str) -> NoReturn:
        steps = self.steps()
        last = f"The last one is of step {steps[-1]}" if steps else "There is none"
        raise FloatingPointError(
            f"Training diverged: {name} is not finite after step "
            f"{int(self.model.optimizer.iterations.numpy())}. No checkpoint was saved "
            f"for it. {last}, in {os.fspath(self.folder)!r}. Train with a lower "
            "learning rate."
        )


def _variables(model: keras.Model) -> dict[str, Any]:
    """Every variable that training changes, by name."""
    optimizer = model.optimizer.variables
    return {
        **model.training_variables(),
        **{f"optimizer/{index}": variable for index, variable in enumerate(optimizer)},
    }
