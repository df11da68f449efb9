"""One set of demands on every public layer."""

import json
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from models import SMALL, small_bilm

import keras_elmo
from keras_elmo import (
    BiLM,
    BiLSTM,
    CharCNN,
    ElmoEmbedding,
    ElmoPreprocessor,
    Highway,
    ProjectedLSTM,
    ScalarMix,
)

rng = np.random.default_rng(0)
VECTORS = rng.normal(size=(3, 5, 4)).astype("float32")
# A full row, one with one token, one with none.
LENGTHS = np.array([5, 1, 0])
MASK = np.arange(5) < LENGTHS[:, None]
CHAR_IDS = np.where(MASK[..., None], rng.integers(1, 262, (3, 5, 50)), 0)
TEXT = ["a b c d e", "f", ""]


class Case(NamedTuple):
    """A layer, what it takes (a function of the row numbers), and its weights."""

    make: type
    arguments: dict
    inputs: object
    trainable: int
    non_trainable: int
    masked: bool = True  # whether it takes a mask

    @property
    def has_weights(self):
        return self.trainable + self.non_trainable > 0


def make_elmo(**kwargs):
    return ElmoEmbedding(small_bilm(dtype=kwargs.pop("dtype", None)), **kwargs)


HIGHWAY = 2 * (8 * 8 + 8)
CHAR_CNN = 262 * 16 + (16 * 3 + 3) + (3 * 16 * 5 + 5) + 2 * HIGHWAY + 8 * 4 + 4
LSTM = (4 + 4) * 24 + 24 + 6 * 4
BILM = CHAR_CNN + 4 * LSTM

CASES = {
    "Highway": Case(
        Highway, {}, lambda rows: VECTORS[rows], 2 * (4 * 4 + 4), 0, masked=False
    ),
    "CharCNN": Case(
        CharCNN,
        {"filters": SMALL["filters"], "projection_dim": 4},
        lambda rows: CHAR_IDS[rows],
        CHAR_CNN,
        0,
        masked=False,
    ),
    "ProjectedLSTM": Case(
        ProjectedLSTM,
        {"units": 6, "projection_dim": 4, "go_backwards": True, "return_state": True},
        lambda rows: VECTORS[rows],
        LSTM,
        0,
    ),
    "BiLSTM": Case(
        BiLSTM,
        {"units": 6, "projection_dim": 4, "cell_clip": None},
        lambda rows: VECTORS[rows],
        4 * LSTM,
        0,
    ),
    "ScalarMix": Case(
        ScalarMix,
        {"initial_weights": [0.0, 1.0], "do_layer_norm": "row"},
        lambda rows: [VECTORS[rows], VECTORS[rows] ** 2],
        3,
        0,
    ),
    "BiLM": Case(BiLM, SMALL, lambda rows: CHAR_IDS[rows], BILM, 0, False),
    "ElmoPreprocessor": Case(
        ElmoPreprocessor,
        {"tokenizer": "whitespace", "sentence_boundaries": True},
        lambda rows: np.array(TEXT, dtype=object)[rows],
        0,
        0,
        masked=False,
    ),
    "ElmoEmbedding": Case(
        make_elmo,
        {"sentence_boundaries": True, "seed": 7},
        lambda rows: np.array(TEXT, dtype=object)[rows],
        4,
        BILM,
        masked=False,
    ),
}


def test_every_public_layer_is_here():
    public = [getattr(keras_elmo, name) for name in keras_elmo.__all__]
    layers = {x.__name__ for x in public if isinstance(x, type)}
    assert layers == set(CASES)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=[name for name, case in CASES.items() if case.has_weights])
def case_with_weights(request):
    return CASES[request.param]


def tensors(inputs):
    return tf.nest.map_structure(
        lambda x: tf.convert_to_tensor(x, None if x.dtype != object else tf.string),
        inputs,
    )


def call(layer, case, rows=slice(None)):
    kwargs = {"mask": MASK[rows]} if case.masked else {}
    return layer(tensors(case.inputs(rows)), **kwargs)


def symbolic(inputs):
    """`keras.Input`s for such inputs, with every axis but the last unknown."""

    def one(x):
        text = x.dtype == tf.string
        shape = (None,) if text else (*[None] * (len(x.shape) - 1), x.shape[-1])
        return keras.Input(batch_shape=shape, dtype=x.dtype.name)

    return tf.nest.map_structure(one, tensors(inputs))


def test_config_round_trip(case):
    layer = case.make(**case.arguments, name="mine")
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert serialized["registered_name"] == f"keras_elmo>{type(layer).__name__}"
    copy = keras.saving.deserialize_keras_object(serialized)
    assert type(copy) is type(layer)
    assert copy.get_config() == config
    assert copy.name == "mine"


def test_every_argument_is_in_the_config(case):
    layer = case.make(**case.arguments)
    code = type(layer).__init__.__code__
    names = code.co_varnames[1 : code.co_argcount]
    assert set(names) <= set(layer.get_config())


def test_weight_counts(case):
    layer = case.make(**case.arguments)
    call(layer, case)

    def count(variables):
        return sum(int(np.prod(variable.shape)) for variable in variables)

    assert count(layer.trainable_weights) == case.trainable
    assert count(layer.non_trainable_weights) == case.non_trainable


def test_symbolic_equals_eager(case):
    layer = case.make(**case.arguments)
    announced = tf.nest.flatten(layer(symbolic(case.inputs(slice(None)))))
    outputs = tf.nest.flatten(call(layer, case))
    assert len(announced) == len(outputs)
    for spec, tensor in zip(announced, outputs, strict=True):
        assert spec.dtype == tensor.dtype.name
        assert len(spec.shape) == len(tensor.shape)
        assert all(
            a in (None, b) for a, b in zip(spec.shape, tensor.shape, strict=True)
        )
        if len(spec.shape) > 1:
            assert spec.shape[-1] == tensor.shape[-1]


@pytest.mark.slow
def test_one_fit_step(case_with_weights):
    case = case_with_weights
    layer = case.make(**case.arguments)
    inputs = symbolic(case.inputs(slice(None)))
    outputs = layer(inputs)
    is_elmo = isinstance(outputs, dict)
    last = outputs["elmo"] if is_elmo else tf.nest.flatten(outputs)[-1]
    model = keras.Model(inputs, keras.layers.Dense(1)(last))
    model.compile("sgd", "mse")
    before = [v.numpy() for v in layer.trainable_variables]
    x = tensors(case.inputs(slice(0, 2)))
    x = tuple(x) if isinstance(x, list) else x  # `tf.data` stacks a list
    y = np.ones((2,) + (1,) * (len(last.shape) - 1))
    data = tf.data.Dataset.from_tensors((x, y))
    model.fit(data, verbose=0)
    after = [v.numpy() for v in layer.trainable_variables]
    changed = [(a != b).any() for a, b in zip(before, after, strict=True)]
    assert any(changed)
    assert np.isfinite(np.concatenate([v.ravel() for v in after])).all()


def test_reload(case, tmp_path):
    layer = case.make(**case.arguments)
    inputs = symbolic(case.inputs(slice(None)))
    model = keras.Model(inputs, layer(inputs))
    for seed, variable in enumerate(model.variables):  # none is left as it began
        values = np.random.default_rng(seed).normal(size=variable.shape)
        variable.assign(values)
    expected = model(tensors(case.inputs(slice(None))))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded(tensors(case.inputs(slice(None)))), expected, atol=0)
    fresh = keras.models.clone_model(model)
    model.save_weights(tmp_path / "model.weights.h5")
    fresh.load_weights(tmp_path / "model.weights.h5")
    assert_close(fresh(tensors(case.inputs(slice(None)))), expected, atol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Highway(),
        lambda: ProjectedLSTM(4),
        lambda: BiLSTM(4, num_layers=1),
        lambda: BiLSTM(4, return_state=True),
        lambda: ProjectedLSTM(4, go_backwards=True, return_state=True),
    ],
)
def test_mask_passes_through(make):
    """From an embedding that makes it to an LSTM that heeds it."""
    ids = keras.Input((None,), dtype="int32")
    x = make()(keras.layers.Embedding(9, 4, mask_zero=True)(ids))
    model = keras.Model(ids, keras.layers.LSTM(3)(tf.nest.flatten(x)[0]))
    padded = model(np.array([[1, 2, 3, 0, 0]]))
    np.testing.assert_allclose(padded, model(np.array([[1, 2, 3]])), atol=1e-6)


def test_mask_passes_through_a_mix():
    ids = keras.Input((None,), dtype="int32")
    layers = [keras.layers.Embedding(9, 4, mask_zero=True)(ids) for _ in range(2)]
    model = keras.Model(ids, keras.layers.LSTM(3)(ScalarMix()(layers)))
    padded = model(np.array([[1, 2, 3, 0, 0]]))
    np.testing.assert_allclose(padded, model(np.array([[1, 2, 3]])), atol=1e-6)


def test_function_equals_eager(case):
    layer = case.make(**case.arguments)
    expected = call(layer, case)
    assert_close(tf.function(lambda: call(layer, case))(), expected, atol=1e-6)


def test_empty_batch(case):
    layer = case.make(**case.arguments)
    whole = call(layer, case)
    for empty, full in zip(
        tf.nest.flatten(call(layer, case, slice(0, 0))),
        tf.nest.flatten(whole),
        strict=True,
    ):
        assert empty.shape[0] == 0
        assert empty.dtype == full.dtype
        if full.dtype.is_floating:
            assert empty.shape[-1] == full.shape[-1]


@pytest.mark.parametrize("row", [1, 2])
def test_rows_of_one_and_of_no_token(case, row):
    """Alone they are what they are in the batch, and nothing is NaN."""
    layer = case.make(**case.arguments)
    whole = tf.nest.flatten(call(layer, case))
    alone = tf.nest.flatten(call(layer, case, slice(row, row + 1)))
    for batch, single in zip(whole, alone, strict=True):
        batch, single = batch[row].numpy(), single[0].numpy()
        if single.ndim:  # text on its own is not padded to the others' length
            batch = batch[: len(single)]
        np.testing.assert_allclose(single, batch, atol=1e-6)
        assert np.isfinite(single).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_dtype_policies(case_with_weights, policy):
    case = case_with_weights
    layer = case.make(**case.arguments, dtype=policy)
    compute_dtype = policy.removeprefix("mixed_")
    for output in tf.nest.flatten(call(layer, case)):
        assert output.dtype.name == compute_dtype
        assert np.isfinite(tf.cast(output, "float32")).all()
    assert {variable.dtype for variable in layer.weights} == {"float32"}
    for sublayer in layer._flatten_layers():
        if sublayer.weights and sublayer.dtype_policy.name != policy:
            raise AssertionError(f"{sublayer.name} computes in {sublayer.dtype_policy}")


# Keras itself writes these when a layer is called for the first time.
WRITTEN_BY_KERAS = {"_called", "_parent_path", "_path"}


def state_of(layer):
    """Every plain attribute of a layer and its sublayers, and all weights."""
    attributes = {
        (index, part.name, name): value
        for index, part in enumerate(layer._flatten_layers())
        for name, value in vars(part).items()
        if name not in WRITTEN_BY_KERAS
        and isinstance(value, bool | int | float | str | None)
    }
    return attributes, layer.get_weights()


def test_call_changes_no_state(case):
    layer = case.make(**case.arguments)
    if not layer.built:
        inputs = tensors(case.inputs(slice(None)))
        layer.build(tf.nest.map_structure(lambda x: tuple(x.shape), inputs))
    attributes, weights = state_of(layer)
    for _ in range(2):
        call(layer, case)
        attributes_after, weights_after = state_of(layer)
        assert set(attributes_after.items()) ^ set(attributes.items()) == set()
        assert_close(weights_after, weights, atol=0)


def test_unknown_arguments_are_refused(case):
    with pytest.raises((TypeError, ValueError), match="nonsense"):
        case.make(**case.arguments, nonsense=1)
