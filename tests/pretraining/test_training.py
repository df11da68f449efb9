import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
import train_small
from full_disk import largest_file
from golden import assert_close
from processes import without_extras

from keras_elmo.files.locks import lock_beside
from keras_elmo.pretraining import TextCorpus, TrainingOptions, Vocabulary, train
from keras_elmo.pretraining.checkpoint import Checkpoint
from keras_elmo.pretraining.training import evaluate, optimizer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    rng = np.random.default_rng(0)
    words = [f"w{index}" for index in range(12)]
    lines = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(60)]
    path.write_text("\n".join(lines))
    return TextCorpus(path)


@pytest.fixture(scope="module")
def make_model(corpus, make_language_model):
    """Makes equal language models of the words of `corpus`."""
    vocabulary = Vocabulary.from_counts(corpus.measure().word_counts)

    def make(batch_size=3, **sizes):
        keras.utils.set_random_seed(1)
        return make_language_model(vocabulary, batch_size, **sizes)

    return make


OPTIONS = {"steps": 6, "unroll_steps": 4, "interval": 2}


@pytest.fixture(scope="module")
def trained(corpus, make_model, tmp_path_factory):
    """A model that was trained with `OPTIONS`, and the folder of its checkpoints."""
    model, folder = make_model(), tmp_path_factory.mktemp("trained")
    train(model, corpus, TrainingOptions(**OPTIONS), folder)
    return model, folder


@pytest.fixture
def checkpoints(trained, tmp_path):
    """A copy of its checkpoints."""
    return shutil.copytree(trained[1], tmp_path / "run")


def start(corpus, folder, strategy, batch_size, steps, *killed, **environment):
    """Starts `train_small.py` with these arguments."""
    arguments = [corpus.files[0], folder, strategy, batch_size, steps, *killed]
    return subprocess.Popen(
        [sys.executable, train_small.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=without_extras(**environment),
    )


def finish(process):
    """What a process printed, of each training."""
    # The limit is for a process that hangs: a slow machine takes minutes.
    output, errors = process.communicate(timeout=1200)
    assert process.returncode == 0, errors.decode()[-3000:]
    return [json.loads(line) for line in output.decode().splitlines()]


def test_schedule_rises_and_falls():
    options = TrainingOptions(steps=950, learning_rate=0.1, interval=500)
    assert (options.num_intervals, options.total_steps) == (2, 950)
    schedule = optimizer(options)._learning_rate
    rates = [float(schedule(step)) for step in range(951)]
    assert rates[0] == 0
    assert max(rates) == pytest.approx(0.1) == rates[95]
    assert np.all(np.diff(rates[:95]) > 0) and np.all(np.diff(rates[96:]) < 0)
    assert rates[-1] == pytest.approx(0.001)


class Trajectory(keras.callbacks.Callback):
    """Keeps the weights after each step, and what validation tells."""

    def on_train_begin(self, logs=None):
        self.weights, self.told = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append([w.numpy() for w in self.model.trainable_weights])

    def on_epoch_end(self, epoch, logs=None):
        self.told.append(logs["val_loss"])


def test_averages_are_what_is_validated_and_left(corpus, make_model, tmp_path):
    options = TrainingOptions(
        steps=8, unroll_steps=4, interval=4, averaging=0.25, learning_rate=0.05
    )
    model, trajectory = make_model(), Trajectory()
    train(model, corpus, options, tmp_path, corpus, [trajectory])
    (expected, *others) = trajectory.weights
    for weights in others:
        expected = [
            0.5 * average + 0.5 * weight
            for average, weight in zip(expected, weights, strict=True)
        ]
    for average, weight in zip(expected, model.trainable_weights, strict=True):
        np.testing.assert_allclose(weight, average, rtol=1e-5, atol=1e-6)
    assert any(
        np.abs(average - last).max() > 1e-3
        for average, last in zip(expected, trajectory.weights[-1], strict=True)
    )
    evaluated = evaluate(model, corpus, unroll_steps=4)["loss"]
    assert trajectory.told[-1] == pytest.approx(evaluated, rel=1e-6)


@pytest.mark.parametrize("averaging", [-0.1, 0.3, float("nan")])
def test_averages_of_too_many_steps(averaging):
    with pytest.raises(ValueError, match=r"`averaging` should be from 0 to 0\.25"):
        TrainingOptions(steps=8, averaging=averaging)


@pytest.mark.slow
def test_killed_training_goes_on_to_the_same_loss(corpus, tmp_path):
    process = start(corpus, tmp_path / "killed", "none", 4, 25)
    checkpoints = tmp_path / "killed" / "worker-0"
    while not list(checkpoints.glob("step-*")):
        assert process.poll() is None, process.communicate()[1].decode()[-3000:]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed, whole = (
        train_small.run(
            corpus.files[0], tmp_path / folder, tf.distribute.get_strategy(), 4, 25
        )
        for folder in ("killed", "whole")
    )
    assert whole["first"] == 0 < resumed["first"] < 5
    assert resumed["loss"] == pytest.approx(whole["loss"], rel=1e-4)
    assert resumed["states"] == pytest.approx(whole["states"], rel=1e-3)


def test_two_trainings_at_once(corpus, make_model, checkpoints):
    options = TrainingOptions(**OPTIONS)
    with (
        lock_beside(checkpoints / "worker-0"),
        pytest.raises(BlockingIOError, match="no other process writes to"),
    ):
        train(make_model(), corpus, options, checkpoints)
    train(make_model(), corpus, options, checkpoints)


@pytest.mark.slow
def test_two_replicas_of_one_process(corpus, tmp_path):
    whole, resumed = finish(start(corpus, tmp_path, "mirrored", 2, 15, 0))
    assert {name[-1] for name in whole["states"]} == {"0", "1"}
    assert len(set(whole["states"].values())) == len(whole["states"])
    assert whole["evaluated"] == pytest.approx(whole["loss"], rel=1e-5)
    assert (whole["first"], resumed["first"]) == (0, 2)
    assert resumed["loss"] == pytest.approx(whole["loss"], rel=1e-4)
    assert resumed["states"] == pytest.approx(whole["states"], rel=1e-3)


@pytest.mark.slow
def test_two_workers(corpus, tmp_path):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    workers = [
        start(corpus, tmp_path, "multi-worker", 2, 15, 1, TF_CONFIG=config)
        for config in configs
    ]
    whole, resumed = zip(*map(finish, workers), strict=True)
    # The workers share the model; each has its own text and state.
    assert whole[0]["loss"] == pytest.approx(whole[1]["loss"], rel=1e-6)
    assert whole[0]["evaluated"] == pytest.approx(whole[0]["loss"], rel=1e-5)
    assert whole[0]["states"] != whole[1]["states"]
    # If one worker was killed before it had saved, both go back to the last interval.
    assert [worker["first"] for worker in resumed] == [2, 2]
    for before, after in zip(whole, resumed, strict=True):
        assert after["loss"] == pytest.approx(before["loss"], rel=1e-4)
        assert after["states"] == pytest.approx(before["states"], rel=1e-3)


def test_only_the_last_checkpoints_are_kept(checkpoints):
    assert Checkpoint(checkpoints / "worker-0").steps() == [4, 6]


def test_a_finished_training_has_nothing_left_to_do(
    corpus, make_model, trained, checkpoints
):
    model = make_model()
    for _ in range(2):
        train(model, corpus, TrainingOptions(**OPTIONS), checkpoints)
        assert int(model.optimizer.iterations.numpy()) == 6
        assert_close(model.get_weights(), trained[0].get_weights(), atol=0)


@pytest.mark.parametrize("other", [{"interval": 3}, {"steps": 4}])
def test_checkpoints_of_another_training(corpus, make_model, checkpoints, other):
    options = TrainingOptions(**{**OPTIONS, **other})
    with pytest.raises(ValueError, match=r"of this training.*Received: steps \["):
        train(make_model(), corpus, options, checkpoints)
    assert Checkpoint(checkpoints / "worker-0").steps() == [4, 6]


def test_checkpoint_of_other_sizes(corpus, make_model, checkpoints):
    for other in (make_model(units=6), make_model(batch_size=2)):
        with pytest.raises(ValueError, match=r"of this model.*should be \("):
            train(other, corpus, TrainingOptions(**OPTIONS), checkpoints)


def test_broken_checkpoint(corpus, make_model, checkpoints):
    path = checkpoints / "worker-0" / "step-00000006.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="step-00000006"):
        train(make_model(), corpus, TrainingOptions(**OPTIONS), checkpoints)


def test_diverged_training_stops_and_keeps_the_last_good_checkpoint(
    corpus, make_model, tmp_path
):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                kernel = self.model.softmax.kernel
                kernel.assign(kernel * float("nan"))

    options = TrainingOptions(steps=6, unroll_steps=4, interval=2)
    with pytest.raises(FloatingPointError, match="loss is not finite after step 3"):
        train(make_model(), corpus, options, tmp_path, callbacks=[Diverge()])
    assert Checkpoint(tmp_path / "worker-0").steps() == [2]


def test_weights_that_are_not_finite_are_not_saved(corpus, make_model, tmp_path):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.softmax.bias.assign(self.model.softmax.bias + np.inf)

    options = TrainingOptions(steps=2, unroll_steps=4, interval=2)
    with pytest.raises(FloatingPointError, match="bias is not finite.*There is none"):
        train(make_model(), corpus, options, tmp_path, callbacks=[Diverge()])
    assert Checkpoint(tmp_path / "worker-0").steps() == []


@pytest.mark.slow
def test_full_disk_leaves_the_last_good_checkpoint(corpus, make_model, tmp_path):
    options = TrainingOptions(steps=4, unroll_steps=4, interval=2)
    with contextlib.ExitStack() as stack:

        class FillDisk(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    stack.enter_context(largest_file(50_000))

        with pytest.raises(OSError):
            train(make_model(), corpus, options, tmp_path, callbacks=[FillDisk()])
    assert Checkpoint(tmp_path / "worker-0").steps() == [2]
    assert len(list((tmp_path / "worker-0").iterdir())) == 1
    model = make_model()
    train(model, corpus, options, tmp_path)
    assert int(model.optimizer.iterations.numpy()) == 4


def test_what_a_killed_process_was_writing_is_removed(tmp_path):
    leftover = tmp_path / ".step-00000002.npz-abc"
    (leftover / "new").mkdir(parents=True)
    Checkpoint(tmp_path)
    assert not leftover.exists()


@pytest.mark.slow
def test_keras_own_backup_takes_the_model(corpus, make_model, tmp_path):
    def fit(epochs):
        model = make_model()
        model.compile(optimizer="adam")
        data = corpus.shuffled(model.vocabulary, 3, 4, seed=1)
        backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        return model.fit(
            data,
            steps_per_epoch=3,
            epochs=epochs,
            callbacks=[backup],
            shuffle=False,
            verbose=0,
        )

    assert fit(epochs=2).epoch == [0, 1]
    assert fit(epochs=3).epoch == [2]


@pytest.mark.parametrize("name", ["steps", "unroll_steps", "interval"])
def test_bad_options(name):
    with pytest.raises(ValueError, match=f"`{name}` should be a positive integer"):
        TrainingOptions(**{"steps": 1, name: 0})
