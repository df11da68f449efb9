"""Keras' `fit` and `evaluate` for models on several replicas and workers."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

Logs = dict[str, float]


def fit_distributed(
    model: keras.Model,
    data: Iterable,
    *,
    initial_epoch: int,
    epochs: int,
    steps_per_epoch: int,
    validation_data: Iterable | None,
    callbacks: Sequence[keras.callbacks.Callback],
    **_: Any,
) -> None:
    """As `keras.Model.fit`, on several replicas: each worker runs this same loop."""
    train_step = on_replicas(model, model.train_step)
    test_step = on_replicas(model, model.test_step)
    next_step = tf.function(
        lambda iterator: train_step(next(iterator)), autograph=False
    )
    callback = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=epochs, steps=steps_per_epoch
    )
    batches = iter(data)
    callback.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        callback.on_epoch_begin(epoch)
        logs: Logs = {}
        for index in range(steps_per_epoch):
            callback.on_train_batch_begin(index)
            logs = _to_floats(next_step(batches))
            callback.on_train_batch_end(index, logs)
        if validation_data is not None:
            callback.on_test_begin()
            results = evaluate_distributed(model, test_step, validation_data)
            callback.on_test_end(results)
            logs |= {f"val_{name}": value for name, value in results.items()}
        callback.on_epoch_end(epoch, logs)
    with model.distribute_strategy.scope():
        model.optimizer.finalize_variable_values(model.trainable_variables)
    callback.on_train_end()


def evaluate_distributed(
    model: keras.Model, test_step: Callable, batches: Iterable
) -> Logs:
    """The metrics of `model` on `batches`, by a `test_step` of `on_replicas`."""
    model.reset_metrics()
    logs = model.get_metrics_result()
    for batch in batches:
        logs = test_step(batch)
    return _to_floats(logs)


def on_replicas(model: keras.Model, step: Callable) -> Callable:
    """Runs `step` of `model` on all of its replicas, and takes the mean of its logs."""
    strategy = model.distribute_strategy

    @tf.function(autograph=False, reduce_retracing=True)
    def run(batch: Any) -> dict[str, tf.Tensor]:
        logs = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("MEAN", logs[name], axis=None) for name in logs}

    return run


def _to_floats(logs: dict[str, Any]) -> Logs:
    return {name: float(value) for name, value in logs.items()}
