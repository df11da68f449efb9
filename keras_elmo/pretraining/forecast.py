import math
import sys
import time

import keras

from keras_elmo.arguments import check_positive_integer
from keras_elmo.files.units import format_bytes, format_seconds

# The first steps are slower, because TensorFlow prepares what it will run.
_FIRST_STEPS = 5
_TIMED_STEPS = 20
# Besides a weight there are its gradient and the optimizer's two moments, in float32.
_NUMBERS, _BYTES = 4, 4


class TrainingForecast(keras.callbacks.Callback):
    """Tells what training will take: the least memory at once, time after some steps.

    To try steps out before would change the state that training starts from, or take
    the memory of a second model. So it is the first steps that are timed, 25 of them;
    training with no more has no forecast of time. It does not count validation.

    Args:
        steps: Steps of the whole training, by Adam, as `train` does.
        tokens_per_step: Tokens that a step predicts in each direction.

    Raises:
        ValueError: if one of them is no positive integer.

    Example:

    >>> forecast = TrainingForecast(steps=1000, tokens_per_step=64 * 20)
    >>> forecast.steps
    1000
    """

    def __init__(self, steps: int, tokens_per_step: int):
        super().__init__()
        self.steps = check_positive_integer("steps", steps)
        self.tokens_per_step = check_positive_integer(
            "tokens_per_step", tokens_per_step
        )

    def on_train_begin(self, logs=None):
        self._left = self.steps - int(self.model.optimizer.iterations.numpy())
        self._timed = -_FIRST_STEPS
        weights = self.model.trainable_weights
        count = sum(math.prod(weight.shape) for weight in weights)
        numbers = _NUMBERS + self.model.optimizer.use_ema  # an average of it too
        memory = format_bytes(_BYTES * numbers * count)
        print(
            f"to train: {count:,} weights; with gradients and moments of the optimizer "
            f"{memory} of memory, besides that of each step",
            flush=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        self._left -= 1
        self._timed += 1
        if self._timed == 0:
            self._start = time.monotonic()
        if self._timed == _TIMED_STEPS and self._left > 0:
            self._tell(_TIMED_STEPS / (time.monotonic() - self._start))

    def _tell(self, steps_per_second: float) -> None:
        rate = steps_per_second * self.tokens_per_step
        line = f"time: about {format_seconds(self._left / steps_per_second)}, at "
        line += f"{rate:,.0f} tokens/s as measured on the first steps"
        peak = peak_memory()
        if peak is not None:
            line += f"; memory: {format_bytes(peak)} so far"
        print(line, flush=True)


def peak_memory() -> int | None:
    """Bytes of memory that this process had at the most, where the system tells it."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
