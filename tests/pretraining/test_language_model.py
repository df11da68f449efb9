import keras
import numpy as np
import pytest
import tensorflow as tf
from language_models import (
    VOCABULARY,
    Oracle,
    double_weights,
    language_model,
    named,
)
from models import small_bilm

from keras_elmo.pretraining import LanguageModel, TextCorpus

TEXT = [["the", "cat", "sat"], ["dog", "bit", "the", "cat"], ["ran"]]


def batches_of(tmp_path, sentences, batch_size=1, unroll_steps=20):
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences))
    corpus = TextCorpus(path)
    return list(corpus.in_order(VOCABULARY, batch_size, unroll_steps))


def test_losses_are_those_of_a_numpy_model(tmp_path):
    model = language_model()
    (batch,) = batches_of(tmp_path, TEXT)
    weights = double_weights(model)
    forward, backward = model(batch)
    expected = Oracle(weights).losses(TEXT)
    np.testing.assert_allclose(forward[0, :11], expected[0], atol=1e-5)
    # Backward rows are in reading order from right to left.
    np.testing.assert_allclose(backward[0, ::-1][:11], expected[1], atol=1e-5)
    assert not forward[0, 11:].numpy().any()


def test_gradients_are_those_of_a_numpy_model(tmp_path):
    model = language_model(dropout=0.0)
    (batch,) = batches_of(tmp_path, TEXT)
    names, variables = zip(*named(model).items(), strict=True)
    with tf.GradientTape() as tape:
        losses = model(batch, training=True)
        loss = tf.add_n([tf.reduce_sum(loss) for loss in losses])
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    weights = double_weights(model)
    rng = np.random.default_rng(0)
    for name, gradient in zip(names, gradients, strict=True):
        dense = tf.convert_to_tensor(gradient).numpy()
        indices = np.argwhere(np.abs(dense) > 1e-3)
        for index in map(tuple, rng.permutation(indices)[:4]):
            value, step, moved = weights[name][index], 1e-6, []
            for sign in (1, -1):
                weights[name][index] = value + sign * step
                moved.append(sum(loss.sum() for loss in Oracle(weights).losses(TEXT)))
            weights[name][index] = value
            difference = (moved[0] - moved[1]) / (2 * step)
            assert dense[index] == pytest.approx(difference, rel=2e-3, abs=1e-4), name
        assert len(indices), name


def test_every_token_weighs_the_same_whatever_else_is_in_the_batch(tmp_path):
    moves = []
    for batch_size in (1, 4):  # alone, and beside three rows that have ended
        keras.utils.set_random_seed(0)
        model = language_model(batch_size, dropout=0.0)
        model.compile(keras.optimizers.SGD(0.1))
        before = [variable.numpy() for variable in model.trainable_weights]
        (batch,) = batches_of(tmp_path, TEXT[:1], batch_size)
        model.train_step(batch)
        moves.append(
            [
                new - old
                for new, old in zip(model.trainable_weights, before, strict=True)
            ]
        )
    for alone, beside in zip(*moves, strict=True):
        np.testing.assert_allclose(beside, alone / 4, atol=1e-6)
        assert np.abs(alone).max() > 1e-5


def predictions(run, tmp_path, sentence):
    """log probabilities of all words at each position of a sentence, in its order.

    Forward, position `t` predicts word `t`; backward, word `t - 1`.
    """
    (batch,) = batches_of(tmp_path, [sentence])
    length = len(sentence) + 1
    found = []
    for direction, rows in ((0, slice(None, length)), (1, slice(-length, None))):
        key = ("forward_targets", "backward_targets")[direction]
        losses = []
        for word in range(len(VOCABULARY)):
            targets = tf.where(batch[key] >= 0, word, -1)
            losses.append(run({**batch, key: targets})[direction][0, rows].numpy())
        found.append(np.array(losses).T)
    return found


def test_no_direction_sees_what_it_predicts(tmp_path):
    run = tf.function(language_model())
    sentence = ["the", "cat", "sat"]
    forward, backward = predictions(run, tmp_path, sentence)
    for changed in range(3):
        other = [*sentence[:changed], "dog", *sentence[changed + 1 :]]
        other_forward, other_backward = predictions(run, tmp_path, other)
        up_to_it, after_it = slice(changed + 1), slice(changed + 1, None)
        for before, after, blind, seeing in (
            (forward, other_forward, up_to_it, after_it),
            (backward, other_backward, after_it, up_to_it),
        ):
            np.testing.assert_array_equal(before[blind], after[blind])
            assert np.abs(before[seeing] - after[seeing]).max() > 1e-3


def test_state_is_carried_from_batch_to_batch_and_begins_anew(tmp_path):
    model = language_model()
    (whole,) = batches_of(tmp_path, TEXT, unroll_steps=12)
    parts = batches_of(tmp_path, TEXT, unroll_steps=3)
    for _ in range(2):  # the second time, after another text
        losses = [model(part) for part in parts]
        forward = np.concatenate([loss[0] for loss in losses], axis=1)
        backward = np.concatenate([loss[1][:, ::-1] for loss in losses], axis=1)
        np.testing.assert_allclose(forward, model(whole)[0], atol=1e-6)
        np.testing.assert_allclose(backward, model(whole)[1][:, ::-1], atol=1e-6)


def test_evaluation_leaves_the_state_of_training(tmp_path):
    model = language_model()
    (batch,) = batches_of(tmp_path, TEXT)
    model(batch, training=True)
    before = [tensor.numpy() for tensor in model.training_state.read()]
    model(batch)
    for old, new in zip(before, model.training_state.read(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert any(tensor.any() for tensor in before)


def test_perplexities(tmp_path):
    model = language_model(batch_size=2)
    model.compile()
    weights = double_weights(model)
    # Two rows, cut between the first two sentences and the last.
    forward, backward = (
        np.concatenate(losses)
        for losses in zip(
            Oracle(weights).losses(TEXT[:2]),
            Oracle(weights).losses(TEXT[2:]),
            strict=True,
        )
    )
    batches = batches_of(tmp_path, TEXT, batch_size=2, unroll_steps=4)
    results = {}
    for batch in batches:
        results = model.test_step(batch)
    both = np.concatenate([forward, backward])
    assert float(results["loss"]) == pytest.approx(both.mean(), rel=1e-5)
    assert float(results["perplexity"]) == pytest.approx(np.exp(both.mean()), rel=1e-5)
    for name, losses in (("forward", forward), ("backward", backward)):
        expected = pytest.approx(np.exp(losses.mean()), rel=1e-5)
        assert float(results[f"{name}_perplexity"]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [False, True])
def test_fit_lowers_the_loss(tmp_path, make_language_model, frozen):
    model = make_language_model(VOCABULARY, 2, filters=[[1, 4]], embedding_dim=4)
    assert 1500 < model.count_params() < 2500
    model.bilm.trainable = not frozen
    before = [variable.numpy() for variable in model.bilm.variables]
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\nthe dog ran\n" * 50)
    corpus = TextCorpus(path)
    data = corpus.shuffled(VOCABULARY, 2, 6, seed=1)
    model.compile(optimizer=keras.optimizers.Adam(0.02))
    held_out = corpus.in_order(VOCABULARY, 2, 6)
    first = model.evaluate(held_out, verbose=0, return_dict=True)["perplexity"]
    model.fit(data, steps_per_epoch=150, shuffle=False, verbose=0)
    last = model.evaluate(held_out, verbose=0, return_dict=True)["perplexity"]
    # A softmax on a random biLM learns the frequencies alone: 2 ** 2.5 = 5.7. Context
    # leaves one word in four to guess, of two: 2 ** (1 / 4) = 1.2 at best.
    assert last < (1.1 * 2**2.5 if frozen else 2.0) < first
    changed = [
        not np.array_equal(old, new.numpy())
        for old, new in zip(before, model.bilm.variables, strict=True)
    ]
    assert not any(changed) if frozen else all(changed)


@pytest.mark.parametrize(
    ("policy", "is_global"), [("mixed_bfloat16", True), ("mixed_float16", False)]
)
def test_mixed_precision_trains_and_evaluates(tmp_path, policy, is_global):
    keras.utils.set_random_seed(1)
    old = keras.config.dtype_policy()
    try:
        if is_global:
            keras.config.set_dtype_policy(policy)
        model = LanguageModel(small_bilm(dtype=policy), VOCABULARY, 1, num_samples=3)
    finally:
        keras.config.set_dtype_policy(old)
    model.compile("sgd", run_eagerly=True)
    (batch,) = batches_of(tmp_path, TEXT)
    assert model.bilm.compute_dtype == policy.removeprefix("mixed_")
    assert np.isfinite(float(model.train_step(batch)["loss"]))
    model.reset_metrics()
    loss = float(model.test_step(batch)["loss"])
    same = LanguageModel(small_bilm(), VOCABULARY, 1, num_samples=3)
    same.set_weights(model.get_weights())
    same.compile()
    assert loss == pytest.approx(float(same.test_step(batch)["loss"]), rel=1e-2)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`bilm` should be a `BiLM`. Received"):
        LanguageModel("bilm", VOCABULARY, 1)
    with pytest.raises(ValueError, match="`vocabulary` should be a `Vocabulary`.*list"):
        LanguageModel(small_bilm(), VOCABULARY.words, 1)
    with pytest.raises(ValueError, match="`batch_size` should be a positive"):
        language_model(batch_size=0)
    with pytest.raises(ValueError, match="`dropout` should be a number"):
        language_model(dropout=1.0)
