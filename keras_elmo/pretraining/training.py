"""Training from beginning to end: schedule, callbacks, checkpoints, processes."""

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer, check_positive_number
from keras_elmo.pretraining.checkpoint import Checkpoint
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.text_corpus import TextCorpus

_WARMUP = 0.1  # of all steps
_FINAL_LEARNING_RATE = 0.01  # of the peak


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How to train. The same options and data give the same model.

    Args:
        steps: Steps to train for, of all replicas together.
        unroll_steps: Tokens over which gradients flow. Defaults to 20, as in the
            paper's models.
        learning_rate: Its peak. It rises linearly over the first 10 % of the steps,
            without which Adam's first estimates throw the LSTMs off, and falls to
            1 % along a cosine, which reaches a lower perplexity in a given number
            of tokens than a constant one. Defaults to 4e-3.
        clip_norm: Bound of the gradients' global norm. Defaults to 1.
        seed: Seed of the order of the text. Defaults to 1.
        interval: The most steps between two checkpoints; validation is as often.
            Defaults to 1000.
    """

    steps: int
    unroll_steps: int = 20
    learning_rate: float = 4e-3
    clip_norm: float = 1.0
    seed: int = 1
    interval: int = 1000

    def __post_init__(self):
        for name in ("steps", "unroll_steps", "interval"):
            check_positive_integer(name, getattr(self, name))
        for name in ("learning_rate", "clip_norm"):
            check_positive_number(name, getattr(self, name))

    @property
    def num_intervals(self) -> int:
        return math.ceil(self.steps / self.interval)

    @property
    def steps_per_interval(self) -> int:
        """All intervals are equally long."""
        return math.ceil(self.steps / self.num_intervals)

    @property
    def total_steps(self) -> int:
        """`steps`, rounded up to whole intervals."""
        return self.num_intervals * self.steps_per_interval


def optimizer(options: TrainingOptions, num_replicas: int = 1):
    """Adam, with the schedule and the clipping of `options`."""
    warmup_steps = math.ceil(_WARMUP * options.total_steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(options.total_steps - warmup_steps, 1),
        alpha=_FINAL_LEARNING_RATE,
        warmup_target=options.learning_rate,
        warmup_steps=warmup_steps,
    )
    # Keras clips before it adds up the gradients of all replicas.
    return keras.optimizers.Adam(
        schedule, global_clipnorm=options.clip_norm / num_replicas
    )


def train(
    model: LanguageModel,
    corpus: TextCorpus,
    options: TrainingOptions,
    folder: str | os.PathLike,
    validation: TextCorpus | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains to the end, from the last checkpoint if there is one.

    Args:
        model: What to train, made under the strategy that distributes it.
        corpus: The text. Of several workers, each reads a part of its lines.
        options: How to train. They, the text and the strategy should be those that
            the checkpoints were made with.
        folder: Of the checkpoints, see `Checkpoint`.
        validation: Text to compute perplexity of after each interval.
        callbacks: More of Keras' callbacks, such as `TrainingProgress`. Their epoch
            is an interval.

    Raises:
        FloatingPointError, OSError: see `Checkpoint`.
        ValueError: if the checkpoints in `folder` are of another model or training.
    """
    strategy = model.distribute_strategy
    with strategy.scope():
        model.compile(optimizer=optimizer(options, strategy.num_replicas_in_sync))
        # Variables can't be made inside of a distributed graph.
        model.optimizer.build(model.trainable_variables)
    resolver = strategy.cluster_resolver
    worker = resolver.task_id if resolver else 0
    # The carried state is each worker's own.
    checkpoint = Checkpoint(Path(folder) / f"worker-{worker}")
    _check_steps(checkpoint, options)
    interval = _common_interval(strategy, checkpoint, options)
    if interval:
        with strategy.scope():
            checkpoint.restore(model, interval * options.steps_per_interval)
    validation_data = None
    if validation is not None:
        validation_data = validation.in_order(
            model.vocabulary, model.batch_size, options.unroll_steps
        )
    # `fit` wants batches of one shape on all replicas, and fails under
    # `MultiWorkerMirroredStrategy` in any case (Keras 3.15).
    is_distributed = strategy.num_replicas_in_sync > 1
    fit = _fit_distributed if is_distributed else keras.Model.fit
    fit(
        model,
        _distribute(strategy, model, corpus, options, interval),
        initial_epoch=interval,
        epochs=options.num_intervals,
        steps_per_epoch=options.steps_per_interval,
        validation_data=validation_data,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, checkpoint],
    )


def evaluate(model: LanguageModel, corpus: TextCorpus, unroll_steps: int = 20):
    """The loss and the perplexities on the whole text, over the full softmax.

    Args:
        model: What to evaluate. Of one that is distributed, every replica reads all
            of the text.
        corpus: The text.
        unroll_steps: Tokens to read at once. Plays no part in the results.

    Returns:
        Dictionary of floats: `"loss"`, `"forward_perplexity"`,
        `"backward_perplexity"` and `"perplexity"`, of both directions together.
    """
    if not model.compiled:
        model.compile()
    data = corpus.in_order(model.vocabulary, model.batch_size, unroll_steps)
    if model.distribute_strategy.num_replicas_in_sync > 1:
        return _evaluate_distributed(model, _on_replicas(model, model.test_step), data)
    return model.evaluate(data, verbose=0, return_dict=True)


def _check_steps(checkpoint, options):
    """Refuses checkpoints that can't be of this training."""
    wrong = [
        step
        for step in checkpoint.steps()
        if step % options.steps_per_interval or step > options.total_steps
    ]
    if wrong:
        raise ValueError(
            "The checkpoints should be of this training, which makes one each "
            f"{options.steps_per_interval} steps up to {options.total_steps}. "
            f"Received: steps {wrong} in {os.fspath(checkpoint.folder)!r}. Has the "
            "text changed, or an option? Train in a new folder, or remove these."
        )


def _common_interval(strategy, checkpoint, options):
    """The last interval of which every worker has a checkpoint, or 0."""
    saved = set(checkpoint.steps())
    exists = [
        float(index * options.steps_per_interval in saved)
        for index in range(options.num_intervals + 1)
    ]

    @tf.function
    def count():
        ones = strategy.run(lambda: tf.constant(exists))
        return strategy.reduce("SUM", ones, axis=None)

    common = np.flatnonzero(count().numpy() == strategy.num_replicas_in_sync)
    return int(common.max(initial=0))


def _distribute(strategy, model, corpus, options, interval):
    """The batches of every replica, from the end of `interval` on."""

    def batches(context):
        return corpus.shuffled(
            model.vocabulary,
            model.batch_size,
            options.unroll_steps,
            seed=options.seed,
            num_replicas=context.num_replicas_in_sync // context.num_input_pipelines,
            shard=(context.input_pipeline_id, context.num_input_pipelines),
            skip=interval * options.steps_per_interval,
        )

    if strategy.num_replicas_in_sync == 1:
        return batches(tf.distribute.InputContext())
    return strategy.distribute_datasets_from_function(batches)


def _fit_distributed(
    model, data, initial_epoch, epochs, steps_per_epoch, validation_data, callbacks, **_
):
    """What `fit` does, on several replicas: each worker runs this same loop."""
    train_step = _on_replicas(model, model.train_step)
    test_step = _on_replicas(model, model.test_step)
    next_step = tf.function(lambda iterator: train_step(next(iterator)))
    callbacks = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=epochs, steps=steps_per_epoch
    )
    batches = iter(data)
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        for index in range(steps_per_epoch):
            callbacks.on_train_batch_begin(index)
            logs = _to_floats(next_step(batches))
            callbacks.on_train_batch_end(index, logs)
        if validation_data is not None:
            results = _evaluate_distributed(model, test_step, validation_data)
            logs |= {f"val_{name}": value for name, value in results.items()}
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()


def _evaluate_distributed(model, test_step, data):
    model.reset_metrics()
    logs = model.get_metrics_result()
    for batch in data:
        logs = test_step(batch)
    return _to_floats(logs)


def _on_replicas(model, step):
    """A step of `model` on all of its replicas, and the mean of what it logs."""
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True)
    def run(batch):
        logs = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("MEAN", logs[name], axis=None) for name in logs}

    return run


def _to_floats(logs):
    return {name: float(value) for name, value in logs.items()}
