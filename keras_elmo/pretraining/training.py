"""Training with a schedule, callbacks and checkpoints, and evaluation."""

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_positive_integer, check_positive_number
from keras_elmo.files.locks import lock_beside, only_writer
from keras_elmo.pretraining.checkpoint import Checkpoint
from keras_elmo.pretraining.distributed import (
    evaluate_distributed,
    fit_distributed,
    on_replicas,
)
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.text_corpus import TextCorpus

# The warm-up takes this share of all steps.
_WARMUP_SHARE = 0.1
# The last learning rate is this share of the highest.
_FINAL_SHARE = 0.01
# Averages of more steps would hold too much of the weights that training began with.
_MOST_AVERAGED = 0.25


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How to train. The same options and data give the same model.

    Args:
        steps: Steps to train for. All replicas take each step together.
        unroll_steps: Tokens over which gradients flow. Defaults to 20, as in the
            paper's models.
        learning_rate: Peak of the learning rate. It rises linearly over the first 10 %
            of the steps, because Adam's first estimates are too rough for the LSTMs.
            Then it falls to 1 % along a cosine, which reaches a lower perplexity with
            the same number of tokens than a constant rate. Defaults to 4e-3.
        clip_norm: Bound of the gradients' global norm. Defaults to 1.
        averaging: Share of the steps over which an exponential moving average (EMA) of
            the weights is taken, roughly: each step back counts less, by a factor of e
            after this share. The averages are what is validated and what is left at the
            end; they are better than the weights of any one step (as are equal-weighted
            ones: Izmailov et al. 2018, arXiv:1803.05407). At most 0.25, with which 2 %
            of the first weights are left. Defaults to 0, for none.
        seed: Seed of the order of the text. Defaults to 1.
        interval: Largest number of steps from one checkpoint and validation to the
            next. Defaults to 1000.
    """

    steps: int
    unroll_steps: int = 20
    learning_rate: float = 4e-3
    clip_norm: float = 1.0
    averaging: float = 0.0
    seed: int = 1
    interval: int = 1000

    def __post_init__(self) -> None:
        for name in ("steps", "unroll_steps", "interval"):
            check_positive_integer(name, getattr(self, name))
        for name in ("learning_rate", "clip_norm"):
            check_positive_number(name, getattr(self, name))
        if not 0 <= self.averaging <= _MOST_AVERAGED:
            raise ValueError(
                f"`averaging` should be from 0 to {_MOST_AVERAGED}, a share of the "
                f"steps. Received: averaging={self.averaging!r}"
            )

    @property
    def num_intervals(self) -> int:
        """The number of intervals, each of which ends with a checkpoint."""
        return math.ceil(self.steps / self.interval)

    @property
    def steps_per_interval(self) -> int:
        """The number of steps of an interval, the same for all of them."""
        return math.ceil(self.steps / self.num_intervals)

    @property
    def total_steps(self) -> int:
        """`steps`, rounded up to whole intervals."""
        return self.num_intervals * self.steps_per_interval


def optimizer(options: TrainingOptions, num_replicas: int = 1) -> keras.Optimizer:
    """Adam with the schedule, the clipping and the averaging that `options` say."""
    warmup_steps = math.ceil(_WARMUP_SHARE * options.total_steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(options.total_steps - warmup_steps, 1),
        alpha=_FINAL_SHARE,
        warmup_target=options.learning_rate,
        warmup_steps=warmup_steps,
    )
    averaged_steps = max(options.averaging * options.total_steps, 1)
    return keras.optimizers.Adam(
        schedule,
        # Keras clips before it adds up the gradients of all replicas.
        global_clipnorm=options.clip_norm / num_replicas,
        use_ema=options.averaging > 0,
        ema_momentum=1 - 1 / averaged_steps,
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
        model: The model to train, created in the scope of the strategy to use.
        corpus: The text. With several workers, each reads a part of its lines.
        options: How to train. To resume, the options, the text and the strategy should
            be those that the checkpoints were saved with.
        folder: Folder of the checkpoints, see `Checkpoint`.
        validation: Text to compute the perplexity of after each interval. Defaults to
            None.
        callbacks: Other Keras callbacks, such as `TrainingProgress`. For them an epoch
            is an interval.

    Raises:
        BlockingIOError: if another process trains in `folder`.
        FloatingPointError, OSError: see `Checkpoint`.
        ValueError: if the checkpoints in `folder` are of another model or training.
    """
    _compile(model, options)
    # The carried state differs between workers, and so do their checkpoints.
    resolver = model.distribute_strategy.cluster_resolver
    own = Path(folder) / f"worker-{resolver.task_id if resolver else 0}"
    with only_writer(lock_beside(own), own, "folder"):
        _fit(model, corpus, options, Checkpoint(own), validation, callbacks)


def _fit(
    model: LanguageModel,
    corpus: TextCorpus,
    options: TrainingOptions,
    checkpoint: Checkpoint,
    validation: TextCorpus | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Trains from the last checkpoint to the end."""
    interval = _restore(model, checkpoint, options)
    validation_data = None
    if validation is not None:
        validation_data = validation.in_order(
            model.vocabulary, model.batch_size, options.unroll_steps
        )
    callbacks = [*callbacks, checkpoint]
    if options.averaging:
        callbacks.append(keras.callbacks.SwapEMAWeights())  # while it validates
    # Keras' `fit` needs batches of one shape on all replicas, and fails under
    # `MultiWorkerMirroredStrategy` in any case (Keras 3.15).
    is_distributed = model.distribute_strategy.num_replicas_in_sync > 1
    fit = fit_distributed if is_distributed else keras.Model.fit
    fit(
        model,
        _batches(model, corpus, options, skip=interval * options.steps_per_interval),
        initial_epoch=interval,
        epochs=options.num_intervals,
        steps_per_epoch=options.steps_per_interval,
        validation_data=validation_data,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )


def evaluate(
    model: LanguageModel, corpus: TextCorpus, unroll_steps: int = 20
) -> dict[str, float]:
    """The loss and the perplexities on the whole text, over the full softmax.

    They depend a little on the model's `batch_size`: so many rows begin from a state of
    zeros, and the fewer sentences each has, the less it knows of those before.

    Args:
        model: The model to evaluate. If it is distributed, every replica reads the
            whole text.
        corpus: The text.
        unroll_steps: Tokens to read at once. The results do not depend on it.

    Returns:
        Dictionary of floats: `"loss"`, `"forward_perplexity"`,
        `"backward_perplexity"` and `"perplexity"`, of both directions together.
    """
    if not model.compiled:
        model.compile()
    data = corpus.in_order(model.vocabulary, model.batch_size, unroll_steps)
    if model.distribute_strategy.num_replicas_in_sync > 1:
        return evaluate_distributed(model, on_replicas(model, model.test_step), data)
    return model.evaluate(data, verbose=0, return_dict=True)


def _compile(model: LanguageModel, options: TrainingOptions) -> None:
    strategy = model.distribute_strategy
    with strategy.scope():
        model.compile(optimizer=optimizer(options, strategy.num_replicas_in_sync))
        # The optimizer can't create its variables inside a distributed graph.
        model.optimizer.build(model.trainable_variables)


def _restore(
    model: LanguageModel, checkpoint: Checkpoint, options: TrainingOptions
) -> int:
    """Loads the last checkpoint that all workers have; returns its interval, or 0."""
    _check_steps(checkpoint, options)
    strategy = model.distribute_strategy
    interval = _common_interval(strategy, checkpoint, options)
    if interval:
        with strategy.scope():
            checkpoint.restore(model, interval * options.steps_per_interval)
    return interval


def _check_steps(checkpoint: Checkpoint, options: TrainingOptions) -> None:
    """Refuses checkpoints that can't belong to this training."""
    wrong = [
        step
        for step in checkpoint.steps()
        if step % options.steps_per_interval or step > options.total_steps
    ]
    if wrong:
        raise ValueError(
            "The checkpoints should be of this training, which saves one every "
            f"{options.steps_per_interval} steps up to {options.total_steps}. "
            f"Received: steps {wrong} in {os.fspath(checkpoint.folder)!r}. Go on with "
            "the same text and options, train in a new folder, or remove these."
        )


def _common_interval(
    strategy: tf.distribute.Strategy, checkpoint: Checkpoint, options: TrainingOptions
) -> int:
    """The last interval of which every worker has a checkpoint, or 0."""
    saved = set(checkpoint.steps())
    exists = [
        float(index * options.steps_per_interval in saved)
        for index in range(options.num_intervals + 1)
    ]

    @tf.function(autograph=False)
    def count() -> tf.Tensor:
        ones = strategy.run(lambda: tf.constant(exists))
        return strategy.reduce("SUM", ones, axis=None)

    common = np.flatnonzero(count().numpy() == strategy.num_replicas_in_sync)
    return int(common.max(initial=0))


def _batches(
    model: LanguageModel, corpus: TextCorpus, options: TrainingOptions, skip: int
) -> Any:
    """The dataset of the batches of all replicas, without the first `skip` of each."""

    def batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return corpus.shuffled(
            model.vocabulary,
            model.batch_size,
            options.unroll_steps,
            seed=options.seed,
            num_replicas=context.num_replicas_in_sync // context.num_input_pipelines,
            shard=(context.input_pipeline_id, context.num_input_pipelines),
            skip=skip,
        )

    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return batches(tf.distribute.InputContext())
    return strategy.distribute_datasets_from_function(batches)
