import os

import keras
import numpy as np
import pytest

from keras_elmo.examples.imdb.batches import text_batches
from keras_elmo.examples.imdb.reviews import Reviews
from keras_elmo.examples.imdb.training import fit, predict, schedule

# The longer ones come first, so that the order of batches is another.
TEXTS = ["bad one"] * 6 + ["good"] * 6
REVIEWS = Reviews(TEXTS, TEXTS, np.repeat([0.0, 1.0], 6))


def make_model():
    keras.utils.set_random_seed(1)
    text = keras.Input((), dtype="string")
    words = keras.layers.TextVectorization(10, output_mode="multi_hot")
    words.adapt(TEXTS)
    x = keras.layers.Dense(8, activation="tanh")(words(text))
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(text, keras.layers.Dense(1, activation="sigmoid")(x))


def train(model, folder, epochs=3, clip_norm=None):
    batches = text_batches(REVIEWS, TEXTS, 4)
    return fit(model, batches, batches, 1, epochs, 0.1, folder, clip_norm)


def test_learns_and_tells(tmp_path):
    model = make_model()
    history = train(model, tmp_path)
    assert [len(values) for values in history.values()] == [3] * len(history)
    assert history["val_accuracy"][-1] == 1.0
    probabilities = predict(model, text_batches(REVIEWS, TEXTS, 4))
    np.testing.assert_array_equal(probabilities > 0.5, REVIEWS.labels > 0.5)


def test_goes_on_where_it_was_interrupted(tmp_path):
    whole = make_model()
    expected = train(whole, tmp_path / "whole")
    model = make_model()
    evaluate = model.evaluate  # as `fit` validates

    def killed(*args, **options):
        if (tmp_path / "killed" / "epoch-1.npz").is_file():
            raise KeyboardInterrupt
        return evaluate(*args, **options)

    model.evaluate = killed
    with pytest.raises(KeyboardInterrupt):
        train(model, tmp_path / "killed")
    again = make_model()
    history = train(again, tmp_path / "killed")
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    for left, right in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    finished = make_model()
    assert train(finished, tmp_path / "killed") == history  # nothing is left to do
    for left, right in zip(again.get_weights(), finished.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_damaged_epoch_is_told_and_once_removed_done_again(tmp_path):
    expected = train(make_model(), tmp_path)
    best = int(np.argmax(expected["val_accuracy"]))
    path = tmp_path / f"epoch-{best + 1}.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"epoch-\d\.npz.*Remove it to go on"):
        train(make_model(), tmp_path)
    path.unlink()
    again = train(make_model(), tmp_path)
    assert again["loss"] == pytest.approx(expected["loss"], rel=1e-6)


def test_epochs_of_another_model(tmp_path):
    train(make_model(), tmp_path)
    other = keras.Sequential([make_model(), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="should be of this model and training"):
        train(other, tmp_path)


def test_other_options_than_it_began_with(tmp_path):
    train(make_model(), tmp_path)
    with pytest.raises(ValueError, match="Received: epochs 3, now 4"):
        train(make_model(), tmp_path, epochs=4)
    with pytest.raises(ValueError, match="Received: clip_norm None, now 1"):
        train(make_model(), tmp_path, clip_norm=1.0)


def test_the_epoch_that_validates_best_is_kept(tmp_path):
    model = make_model()
    original = model.fit

    def spoilt(*args, initial_epoch, **options):
        if initial_epoch == 2:
            *hidden, kernel, bias = model.get_weights()
            model.set_weights([*hidden, -10 * kernel, -10 * bias])
        return original(*args, initial_epoch=initial_epoch, **options)

    model.fit = spoilt
    history = train(model, tmp_path)
    assert history["val_accuracy"][2] < history["val_accuracy"][1]
    probabilities = predict(model, text_batches(REVIEWS, TEXTS, 4))
    share = np.mean((probabilities > 0.5) == (REVIEWS.labels > 0.5))
    assert share == pytest.approx(max(history["val_accuracy"]), abs=1e-6)


def test_diverged_training_is_told_and_nothing_of_it_is_kept(tmp_path):
    expected = train(make_model(), tmp_path / "whole")
    model = make_model()
    original = model.fit

    def spoilt(*args, initial_epoch, **options):
        if initial_epoch == 1:
            *others, bias = model.get_weights()
            model.set_weights([*others, bias * np.nan])
        return original(*args, initial_epoch=initial_epoch, **options)

    model.fit = spoilt
    with pytest.raises(FloatingPointError, match="loss is not finite in epoch 2"):
        train(model, tmp_path / "spoilt")
    # The three steps of the first epoch, and the first of the second.
    assert int(model.optimizer.iterations.numpy()) == 4
    files = ["epoch-1.npz", "history.json", "run.json"]
    assert sorted(os.listdir(tmp_path / "spoilt")) == files
    history = train(make_model(), tmp_path / "spoilt")
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-6)


def test_gradients_are_clipped_by_their_norm(tmp_path):
    """Adam shows that where its epsilon is no longer small beside them."""
    models = [make_model() for _ in range(2)]
    for model, clip_norm in zip(models, (None, 1e-12), strict=True):
        train(model, tmp_path / str(clip_norm), 1, clip_norm=clip_norm)
    start = make_model().get_weights()
    moved, clipped = (
        max(
            np.abs(now - before).max()
            for now, before in zip(model.get_weights(), start, strict=True)
            if now.dtype == "float32"
        )
        for model in models
    )
    assert clipped < 1e-3 < 0.01 < moved


def test_schedule_rises_and_falls():
    rates = [float(schedule(1.0, 100)(step)) for step in range(101)]
    assert rates[0] == 0 and rates[10] == 1.0
    assert all(
        left > right for left, right in zip(rates[10:], rates[11:], strict=False)
    )
    np.testing.assert_allclose(rates[-1], 1 / 32, rtol=1e-5)
