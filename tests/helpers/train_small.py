"""Trains a small model, by `run` or in a process of its own.

The process, `python train_small.py TEXT FOLDER STRATEGY BATCH_SIZE STEPS`, prints what
`run` returns as JSON. With the number of a worker at the end it trains twice: the
second time as if that worker had been killed before it saved its last checkpoint.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_elmo import BiLM
from keras_elmo.pretraining import (
    LanguageModel,
    TextCorpus,
    TrainingOptions,
    Vocabulary,
    evaluate,
    train,
)


class Record(keras.callbacks.Callback):
    """Which epoch training began with, and the loss that it ended with."""

    epoch = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch if self.epoch is None else self.epoch

    def on_epoch_end(self, epoch, logs=None):
        self.loss = logs["val_loss"]


def make_strategy(name):
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        device = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [device, device])
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    if name == "multi-worker":
        return tf.distribute.MultiWorkerMirroredStrategy()  # by TF_CONFIG
    return tf.distribute.get_strategy()


def run(text, folder, strategy, batch_size, steps, evaluated=False):
    """Trains as far as it has not yet been.

    Returns:
        Dictionary of the interval it began with, the sums of the states at the end, the
        loss on the text by the last validation and, where it is to be `evaluated`, by
        an evaluation of its own.
    """
    keras.utils.set_random_seed(1)
    corpus = TextCorpus(text)
    vocabulary = Vocabulary.from_counts(corpus.measure().word_counts)
    with strategy.scope():
        bilm = BiLM(
            filters=[[1, 8]],
            units=8,
            projection_dim=4,
            num_layers=1,
            num_highway_layers=1,
        )
        model = LanguageModel(
            bilm, vocabulary, batch_size, num_samples=4, dropout=0.2, seed=1
        )
    record = Record()
    options = TrainingOptions(steps, 5, learning_rate=0.01, averaging=0.2, interval=5)
    train(model, corpus, options, folder, validation=corpus, callbacks=[record])
    states = {
        name: float(np.abs(variable.numpy()).sum())
        for name, variable in model.training_state.by_replica().items()
    }
    results = {"first": record.epoch, "loss": record.loss, "states": states}
    if evaluated:
        results["evaluated"] = evaluate(model, corpus)["loss"]
    return results


def main(text, folder, name, batch_size, steps, killed_worker=None):
    arguments = text, folder, make_strategy(name), int(batch_size), int(steps)
    print(json.dumps(run(*arguments, evaluated=True)))
    if killed_worker is not None:
        last = Path(folder) / f"worker-{killed_worker}" / f"step-{int(steps):08}.npz"
        last.unlink(missing_ok=True)  # the other worker may have been faster
        print(json.dumps(run(*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
