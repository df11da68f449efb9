"""What is told of a training before most of it."""

import keras
import numpy as np
import pytest

from keras_elmo.pretraining import TrainingForecast


def forecast(steps, capsys, **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(**options), "mse")
    data = np.zeros((steps, 1), "float32")
    callbacks = [TrainingForecast(steps, tokens_per_step=10)]
    model.fit(data, data, batch_size=1, verbose=0, callbacks=callbacks)
    return capsys.readouterr().out


def test_memory_before_and_time_after_some_steps(capsys):
    memory, time = forecast(26, capsys).splitlines()
    assert memory.startswith("to train: 2 weights;") and " 32 bytes of memory" in memory
    assert " 40 bytes of memory" in forecast(1, capsys, use_ema=True)
    assert time.startswith("time: about 1 s, at ") and " tokens/s" in time


def test_no_time_where_no_steps_are_left(capsys):
    assert len(forecast(25, capsys).splitlines()) == 1


@pytest.mark.parametrize("name", ["steps", "tokens_per_step"])
def test_bad_arguments(name):
    with pytest.raises(ValueError, match=f"`{name}` should be a positive integer"):
        TrainingForecast(**{"steps": 1, "tokens_per_step": 1, name: 0})
