"""Trains a small model in a process of its own: `python train_small.py TEXT FOLDER`.

Prints the interval it begins at and, by the last validation and by an evaluation of
its own, the loss on the text at the end, as JSON.
"""

import json
import sys

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


def run(text, folder, strategy, batch_size, steps):
    keras.utils.set_random_seed(1)
    corpus = TextCorpus(text)
    vocabulary = Vocabulary.from_counts(corpus.measure().word_counts)
    with strategy.scope():
        bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4, num_highway_layers=1)
        model = LanguageModel(
            bilm, vocabulary, int(batch_size), num_samples=4, dropout=0.2, seed=1
        )
    record = Record()
    options = TrainingOptions(int(steps), 5, learning_rate=0.01, interval=10)
    train(model, corpus, options, folder, validation=corpus, callbacks=[record])
    states = {
        name: float(np.abs(variable.numpy()).sum())
        for name, variable in model.training_state.by_replica().items()
    }
    results = {
        "first": record.epoch,
        "loss": record.loss,
        "evaluated": evaluate(model, corpus)["loss"],
        "states": states,
    }
    print(json.dumps(results))


if __name__ == "__main__":
    text, folder, name, batch_size, steps = sys.argv[1:]
    run(text, folder, make_strategy(name), batch_size, steps)
