import time

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingProgress(keras.callbacks.Callback):
    """A progress bar of the whole training, and a line after each interval.

    Both show tokens per second, loss and perplexity; the bar shows the time left, too.
    Without a terminal, only the lines are printed.

    Args:
        steps: Steps of the whole training.
        tokens_per_step: Tokens that a step predicts in each direction.
        description: Name to show for this training. Defaults to `"train"`.
    """

    def __init__(self, steps: int, tokens_per_step: int, description: str = "train"):
        super().__init__()
        self.steps = steps
        self.tokens_per_step = tokens_per_step
        self.description = description

        console = Console(soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(
                "{task.completed:,.0f}/{task.total:,.0f}  {task.fields[status]}"
            ),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        """Removes the bar from the terminal, also when training was interrupted."""
        self._bar.stop()

    def on_train_begin(self, logs=None):
        self._step = int(self.model.optimizer.iterations.numpy())
        self._task = self._bar.add_task(
            self.description, total=self.steps, completed=self._step, status=""
        )
        self._bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self._step
        self._start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        # The rate is that of this interval, without its validation.
        seconds = max(time.monotonic() - self._start, 1e-9)
        tokens = (self._step - self._first_step) * self.tokens_per_step
        self._rate = tokens / seconds
        self._bar.update(self._task, completed=self._step, status=self._status(logs))

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        line = f"{self.description} {self._step:,}/{self.steps:,}"
        line += f"  {self._status(logs)}"
        if "val_perplexity" in logs:
            line += f"  validation perplexity {logs['val_perplexity']:.2f}"
        self._bar.console.print(line)

    def on_train_end(self, logs=None):
        self._bar.stop()

    def _status(self, logs):
        values = "".join(
            f"  {name} {logs[name]:.2f}"
            for name in ("loss", "perplexity")
            if name in logs
        )
        return f"{self._rate:,.0f} tokens/s{values}"
