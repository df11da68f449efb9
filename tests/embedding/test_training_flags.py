"""What trains, and what acts in training only."""

import keras
import numpy as np
import pytest
from golden import TOLERANCE, assert_close
from models import LABELS, TEXT, classifier, skip_elmo

from keras_elmo import ElmoEmbedding


@pytest.mark.slow
@pytest.mark.parametrize(
    ("finetune", "count"), [(None, 3), ("lstm", None), ("all", None)]
)
def test_trainable_whatever_flags_are_set(finetune, count):
    model = classifier(finetune=finetune)
    elmo = model.layers[1]
    bilm = elmo.bilm
    expected = {"mix/weights", "mix/scaling"}
    named = {None: [], "lstm": bilm.bilstm.variables, "all": bilm.variables}[finetune]
    expected |= {variable.path.removeprefix("elmo_embedding/") for variable in named}

    def trainable():
        paths = {
            v.path.removeprefix("elmo_embedding/") for v in elmo.trainable_variables
        }
        in_model = {v.path for v in model.trainable_variables}
        assert {v.path for v in elmo.trainable_variables} <= in_model
        return paths

    assert trainable() == expected
    for holder in (elmo, model):
        holder.trainable = False
        assert elmo.trainable_variables == []
        holder.trainable = True
        assert trainable() == expected
    for copy in (
        keras.models.clone_model(model).layers[1],
        ElmoEmbedding.from_config(elmo.get_config()),
    ):
        assert len(copy.trainable_variables) == len(expected)
    if count is not None:
        assert sum(int(np.prod(v.shape)) for v in elmo.trainable_variables) == count


@pytest.mark.parametrize(("finetune", "count"), [(None, 2), ("lstm", 18), ("all", 31)])
def test_trainable_before_the_first_call(finetune, count):
    assert len(skip_elmo(finetune=finetune).trainable_variables) == count


def test_one_of_two_that_share_a_bilm_suffices_to_train_it():
    first = skip_elmo(finetune="lstm")
    second = ElmoEmbedding(first.bilm, finetune="lstm")
    first.trainable = False
    assert len(second.trainable_variables) == 18
    second.trainable = False
    assert not any(variable.trainable for variable in first.bilm.variables)


def test_embeddings_of_one_bilm_agree_in_finetune():
    first = skip_elmo(finetune="all")
    with pytest.raises(
        ValueError, match="(?s)`finetune` should be the same.*bilm.copy"
    ):
        ElmoEmbedding(first.bilm)
    assert len(ElmoEmbedding(first.bilm.copy()).trainable_variables) == 2


def test_trainable_false_from_the_start():
    elmo = skip_elmo(trainable=False)
    # A model that holds it goes by the flags of the variables.
    assert not any(variable.trainable for variable in elmo.variables)
    reloaded = ElmoEmbedding.from_config(elmo.get_config())
    assert not any(variable.trainable for variable in reloaded.variables)
    elmo.trainable = True
    assert len(elmo.trainable_variables) == 2


@pytest.mark.slow
@pytest.mark.parametrize("finetune", [None, "lstm", "all"])
def test_fit_changes_what_is_trained_and_nothing_else(finetune):
    model = classifier(finetune=finetune)
    elmo = model.layers[1]
    before = {v.path: v.numpy() for v in elmo.variables}
    model.fit(TEXT, LABELS, epochs=2, verbose=0)
    changed = {v.path for v in elmo.variables if (v.numpy() != before[v.path]).any()}
    trained = {v.path for v in elmo.trainable_variables}
    assert changed == trained


def test_dropout_acts_after_the_mix_when_training():
    elmo = skip_elmo(dropout=0.5, seed=3)
    plain, dropped = elmo(TEXT), elmo(TEXT, training=True)
    for key in ("word_emb", "lstm_outputs1", "lstm_outputs2"):
        np.testing.assert_array_equal(plain[key], dropped[key])
    share = float((dropped["elmo"][0] == 0).numpy().mean())
    assert 0.3 < share < 0.7
    again = skip_elmo(dropout=0.5, seed=3)(TEXT, training=True)
    np.testing.assert_array_equal(dropped["elmo"], again["elmo"])


def test_layer_norm_is_that_of_the_mix_over_tokens(frozen_elmo):
    """The boundaries do not count, as in bilm-tf."""
    plain, normed = frozen_elmo(TEXT), skip_elmo(do_layer_norm=True)(TEXT)
    word_emb = np.concatenate([plain["word_emb"]] * 2, axis=-1)
    layers = [word_emb, plain["lstm_outputs1"], plain["lstm_outputs2"]]
    mask = np.arange(6) < np.array([6, 1, 0, 2])[:, None]
    expected = sum(
        (x - x[mask].mean()) / x[mask].std() for x in map(np.asarray, layers)
    )
    expected = expected / 3 * mask[..., None]
    np.testing.assert_allclose(normed["elmo"], expected, **TOLERANCE)


def test_mix_regularizer():
    elmo = skip_elmo(mix_regularizer=keras.regularizers.L2(0.5))
    elmo.mix.mix_weights.assign([1.0, 2.0, 0.0])
    np.testing.assert_allclose(sum(elmo.losses), 2.5)
    copy = ElmoEmbedding.from_config(elmo.get_config())
    assert float(copy.mix.weights_regularizer.l2) == 0.5


def test_a_call_changes_nothing():
    elmo = skip_elmo()
    before = elmo.get_weights()
    first = elmo(TEXT)
    elmo(["something else"])
    assert_close(elmo(TEXT), first)
    assert_close(elmo.get_weights(), before, atol=0)
