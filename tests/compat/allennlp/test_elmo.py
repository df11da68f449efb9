import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from allennlp_runs import CASES, MIX, VOCABULARY, AllenNLPRun, numbers_of
from golden import assert_close
from models import small_bilm
from refusal import refused

from keras_elmo.compat.allennlp import Elmo, batch_to_ids

SENTENCES = [["First", "sentence", "."], ["Another", "."]]


@pytest.fixture
def run():
    return AllenNLPRun("skip")


@pytest.fixture(scope="module")
def plain():
    """A layer of random weights, for tests that change nothing of it."""
    return make()


def make(**kwargs):
    """A layer with random weights, and a mix that tells the layers apart."""
    arguments = {"dropout": 0.0, "scalar_mix_parameters": MIX}
    stateful = kwargs.get("stateful", False)
    bilm = small_bilm(return_state=stateful)
    return Elmo(module=bilm, **{**arguments, **kwargs})


def first(outputs):
    return outputs["elmo_representations"][0].numpy()


def rows_of(outputs, batch):
    """Of each sentence, its vectors `(tokens, dim)`."""
    vectors = first(outputs)
    return [row[: len(tokens)] for row, tokens in zip(vectors, batch, strict=True)]


def means(sentences):
    """The mix of layers `(3, tokens, dim)` that new weights stand for."""
    return [layers.mean(axis=0) for layers in sentences]


def test_the_snippet_of_allennlp(run, frozen_elmo):
    options_file, weight_file = map(str, run.files)
    elmo = Elmo(options_file, weight_file, 2, dropout=0)
    character_ids = batch_to_ids(SENTENCES)
    embeddings = elmo(character_ids)
    assert set(embeddings) == {"elmo_representations", "mask"}
    representations = embeddings["elmo_representations"]
    assert [tuple(x.shape) for x in representations] == [(2, 3, 24)] * 2
    assert elmo.get_output_dim() == 24
    assert_close(representations, [frozen_elmo(SENTENCES)["elmo"]] * 2)
    mask = embeddings["mask"].numpy()
    assert mask.tolist() == [[True] * 3, [True, True, False]]
    assert not representations[1].numpy()[~mask].any()


def test_every_batch_from_zeros(run):
    elmo = Elmo(*run.files, dropout=0.0)
    for batch, expected in zip(run.batches, run.layers("fresh"), strict=True):
        outputs = elmo(batch_to_ids(batch))
        assert_close(rows_of(outputs, batch), means(expected))


@pytest.mark.parametrize(
    ("case", "way"), [*((case, "direct") for case in CASES), ("skip", "predict")]
)
def test_state_is_carried_over_batches_of_changing_size(case, way):
    run = AllenNLPRun(case)
    elmo = call = Elmo(*run.files, dropout=0.0, stateful=True)
    if way == "predict":
        inputs = keras.Input((None, 50), dtype="int32")
        model = keras.Model(inputs, elmo(inputs))
        call = model.predict_step
        call = tf.function(call, reduce_retracing=True)
    differences = []
    carried, fresh = run.layers("carried"), run.layers("fresh")
    for batch, expected, other in zip(run.batches, carried, fresh, strict=True):
        outputs = call(tf.constant(batch_to_ids(batch)))
        assert_close(rows_of(outputs, batch), means(expected))
        pairs = zip(expected, other, strict=True)
        differences.append(max(abs(a - b).max(initial=0) for a, b in pairs))
    # The batches differ by it, or carried state would be no more than its absence.
    assert differences[0] == 0 and min(differences[1:]) > 0.01
    elmo.reset_states()
    outputs = call(tf.constant(batch_to_ids(run.batches[1])))
    assert_close(rows_of(outputs, run.batches[1]), means(fresh[1]))


def test_kept_boundaries_and_a_given_mix(run):
    elmo = Elmo(
        *run.files,
        keep_sentence_boundaries=True,
        scalar_mix_parameters=MIX,
        dropout=0.0,
    )
    outputs = elmo(batch_to_ids(run.others))
    assert_close(first(outputs), run.arrays["kept"])
    np.testing.assert_array_equal(outputs["mask"], run.arrays["kept_mask"])
    assert not elmo.trainable_variables


def test_layer_normalisation_counts_boundaries(run):
    elmo = Elmo(*run.files, do_layer_norm=True, dropout=0.0)
    outputs = elmo(batch_to_ids(run.others))
    assert_close(first(outputs), run.arrays["normalized"])
    np.testing.assert_array_equal(outputs["mask"], run.arrays["mask"])


def test_cached_words(run):
    elmo = Elmo(*run.files, dropout=0.0, vocab_to_cache=VOCABULARY)
    known = [[word for word in run.others[0] if word in VOCABULARY]]
    assert len(known[0]) > 1
    words = numbers_of(known)
    # Their characters are not looked at.
    outputs = elmo(batch_to_ids([["?"] * len(known[0])]), words)
    assert_close(first(outputs), run.arrays["cached"])
    ids = batch_to_ids(run.others)
    expected = run.arrays["fallen_back"]
    assert_close(first(elmo(ids, numbers_of(run.others))), expected)
    assert_close(first(elmo(ids)), expected)
    four = elmo(ids[None], word_inputs=tf.constant(numbers_of(run.others)[None]))
    assert_close(first(four), expected[None])


def test_the_bilm_runs_once():
    elmo, calls = make(num_output_representations=3), []
    run_bilm = elmo._run_bilm
    elmo._run_bilm = lambda *args: calls.append(args) or run_bilm(*args)
    assert len(elmo(batch_to_ids(SENTENCES))["elmo_representations"]) == 3
    assert len(calls) == 1


def test_more_axes(plain):
    ids = np.stack([batch_to_ids(SENTENCES), batch_to_ids([["a", "b", "c"], []])])
    outputs = plain(ids)
    assert outputs["mask"].shape == (2, 2, 3)
    for index in range(2):
        expected = plain(ids[index])
        assert_close(outputs["mask"][index], expected["mask"], atol=0)
        assert_close(first(outputs)[index], first(expected))


class OtherTensor:
    """A tensor of another library, which knows how to become an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_forms_of_integers(plain):
    ids = batch_to_ids(SENTENCES)
    expected = first(plain(ids))
    forms = [
        ids.tolist(),
        OtherTensor(ids),
        tf.constant(ids, "int32"),
        ids.astype("u2"),
    ]
    for form in forms:
        assert_close(first(plain(form)), expected, atol=0)


@pytest.mark.parametrize("batch", [[], [[]], [[], []]])
def test_no_token(batch, plain):
    outputs = plain(batch_to_ids(batch))
    assert first(outputs).shape == (len(batch), 0, 8)
    assert outputs["mask"].shape == (len(batch), 0)


def test_dropout_acts_in_training_alone_and_differs():
    elmo = make(num_output_representations=2, dropout=0.5)
    ids = batch_to_ids([["a"] * 30])
    plain = elmo(ids)["elmo_representations"]
    one, two = (x.numpy() for x in elmo(ids, training=True)["elmo_representations"])
    assert_close(plain[0], plain[1], atol=0)
    assert 0.3 < (one == 0).mean() < 0.7 and ((one == 0) != (two == 0)).any()
    kept = one != 0
    assert_close(one[kept], 2 * plain[0].numpy()[kept])
    assert Elmo(module=elmo.bilm).dropout == 0.5


def test_what_is_trained():
    elmo = make(num_output_representations=2, scalar_mix_parameters=None)
    assert len(elmo.trainable_variables) == 4
    elmo.trainable = False
    assert not elmo.trainable_variables
    elmo.trainable = True
    assert len(elmo.trainable_variables) == 4
    whole = make(requires_grad=True)
    assert len(whole.trainable_variables) == len(whole.bilm.variables)
    whole.trainable = True  # a given mix stays as it is
    assert len(whole.trainable_variables) == len(whole.bilm.variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(whole(batch_to_ids(SENTENCES))["elmo_representations"][0])
    gradients = tape.gradient(loss, whole.trainable_variables)
    assert all(np.abs(tf.convert_to_tensor(g)).max() > 0 for g in gradients)


def test_two_layers_share_a_module_if_they_agree():
    elmo = make()
    assert Elmo(module=elmo.bilm).bilm is elmo.bilm
    with refused("`finetune` should be the same"):
        Elmo(module=elmo.bilm, requires_grad=True)


@pytest.mark.slow
def test_a_model_trains_saves_and_reloads(tmp_path):
    batch = [["the", "cat"], ["dogs", "sat", "on"]]
    inputs = [batch_to_ids(batch), numbers_of(batch)]
    symbolic = [keras.Input(x.shape[1:], dtype="int32") for x in inputs]
    elmo = make(
        num_output_representations=2,
        scalar_mix_parameters=None,
        vocab_to_cache=VOCABULARY,
    )
    x = keras.layers.Concatenate()(elmo(*symbolic)["elmo_representations"])
    x = keras.layers.GlobalAveragePooling1D()(x)  # the mask goes with it
    model = keras.Model(symbolic, keras.layers.Dense(1)(x))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    before = [v.numpy() for v in elmo.trainable_variables]
    model.fit(inputs, np.array([1.0, -1.0]), verbose=0)
    after = [v.numpy() for v in elmo.trainable_variables]
    assert all(np.any(a != b) for a, b in zip(before, after, strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model(inputs)
    assert_close(loaded(inputs), expected)
    dense = model.layers[-1]
    vectors = tf.concat(elmo(*inputs)["elmo_representations"], axis=-1)
    means = [vectors[0, :2].numpy().mean(0), vectors[1].numpy().mean(0)]
    assert_close(dense(np.stack(means)), expected)


@pytest.mark.parametrize(
    "kwargs",
    [
        {
            "keep_sentence_boundaries": True,
            "do_layer_norm": True,
            "dropout": 0.3,
            "requires_grad": True,
            "num_output_representations": 2,
        },
        {"stateful": True, "trainable": False, "name": "embedder"},
    ],
)
def test_config(kwargs):
    elmo = make(**kwargs)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(elmo)))
    assert config["registered_name"] == "keras_elmo>AllenNLPElmo"
    again = keras.saving.deserialize_keras_object(config)
    for name, value in kwargs.items():
        assert getattr(again, name) == value
    assert again.scalar_mix_parameters == elmo.scalar_mix_parameters
    assert len(again.trainable_variables) == len(elmo.trainable_variables)
    again.set_weights(elmo.get_weights())
    if not elmo.stateful:
        ids = batch_to_ids(SENTENCES)
        assert_close(first(again(ids)), first(elmo(ids)))


def test_static_sizes_are_known():
    elmo = make(keep_sentence_boundaries=True)
    outputs = elmo(keras.Input((2, 7, 50), dtype="int64"))
    assert outputs["elmo_representations"][0].shape == (None, 2, 9, 8)
    assert outputs["mask"].shape == (None, 2, 9) and outputs["mask"].dtype == "bool"


@pytest.mark.parametrize(
    ("kwargs", "parts"),
    [
        ({"num_output_representations": 0}, ["`num_output_representations`", "=0"]),
        ({"requires_grad": 1}, ["`requires_grad`", "=1"]),
        ({"do_layer_norm": "row"}, ["`do_layer_norm`", "'row'"]),
        ({"dropout": 1.5}, ["`dropout`", "1.5"]),
        ({"dropuot": 0.1}, ["`dropuot` is no argument", "mean `dropout`?"]),
        ({"stateful": None}, ["`stateful`", "None"]),
        ({"scalar_mix_parameters": [1.0]}, ["`scalar_mix_parameters`", "3 finite"]),
        ({"scalar_mix_parameters": 0.5}, ["3 finite numbers", "=0.5"]),
        ({"scalar_mix_parameters": [0, 0, "a"]}, ["3 finite numbers", "'a'"]),
        ({"scalar_mix_parameters": [0, 0, math.nan]}, ["3 finite numbers", "nan"]),
        ({"vocab_to_cache": ["a", "a"]}, ["`vocab_to_cache`", "once", "['a']"]),
        ({"vocab_to_cache": [1]}, ["`vocab_to_cache`", "[1]"]),
        ({"vocab_to_cache": "the"}, ["`vocab_to_cache`", "'the'"]),
        ({"vocab_to_cache": []}, ["`vocab_to_cache`", "one at least"]),
        (
            {"vocab_to_cache": ["a"], "requires_grad": True},
            ["`vocab_to_cache` and `requires_grad`", "Leave out"],
        ),
        ({"options_file": "x"}, ["`module` takes the place", "`options_file`"]),
        ({"module": "x"}, ["`module` should be a `BiLM`", "'x'"]),
        ({"module": None, "options_file": 5}, ["`options_file`", "5 of type int"]),
    ],
)
def test_arguments_that_are_wrong_or_clash(kwargs, parts, plain):
    with refused(*parts):
        Elmo(**{"module": plain.bilm, **kwargs})


def test_a_module_for_carried_state():
    with refused("stateful=True with a `BiLM` of return_state=False", "copy("):
        Elmo(module=small_bilm(), stateful=True)
    with refused("stateful=False with a `BiLM` of return_state=True"):
        Elmo(module=small_bilm(return_state=True))
    with refused("`reset_states` needs `stateful=True`"):
        make().reset_states()


@pytest.mark.parametrize(
    ("inputs", "parts"),
    [
        (SENTENCES, ["`inputs`"]),
        ([["a"]], ["`inputs` should be integers", "`batch_to_ids`"]),
        (np.zeros((1, 2, 50)), ["`inputs` should be integers", "float64"]),
        (np.zeros((2, 50), int), ["`inputs` should be (batch, tokens, characters)"]),
        (np.ones((1, 2, 20), int), ["50", "(1, 2, 20)"]),
        (np.full((1, 2, 50), 262), ["should be in 0..261"]),
        (batch_to_ids(SENTENCES)[:, ::-1], ["0 after the last token", "at row 1"]),
    ],
)
def test_what_are_no_ids(inputs, parts, plain):
    with refused(*parts):
        plain(inputs)


def test_symbolic_inputs_of_another_dtype(plain):
    with refused("`inputs` should be integers", "float32"):
        plain(keras.Input((None, 50)))


def test_word_inputs_that_are_none(run):
    elmo = make(vocab_to_cache=VOCABULARY)
    ids = batch_to_ids(SENTENCES)
    for words in ([[1, 2, 3], [-1, 2, 0]], [[1, 2, 3], [1, 2, 99]]):
        with refused("numbers of `vocab_to_cache`, 0 to 6", "at row 1"):
            elmo(ids, words)
    with refused("`word_inputs` should be 0 after", "at row 1"):
        elmo(ids, [[1, 2, 3], [0, 2, 0]])
    with pytest.warns(UserWarning, match="of no use without `vocab_to_cache`"):
        outputs = make()(ids, [[1, 2, 3], [1, 2, 0]])
    assert first(outputs).shape == (2, 3, 8)
