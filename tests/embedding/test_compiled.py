"""The core compiled by XLA: the same numbers and gradients, no host, no strings."""

import functools
import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden import TOLERANCE
from models import LABELS, TEXT, skip_elmo, small_elmo

from keras_elmo import ElmoEmbedding, ElmoPreprocessor


def gradients(elmo):
    with tf.GradientTape() as tape:
        outputs = elmo(TEXT)
        loss = sum(
            tf.reduce_mean(tf.square(outputs[key]))
            for key in ("elmo", "lstm_outputs1", "default")
        )
    trained = elmo.trainable_variables
    names = [variable.path.split("/", 1)[1] for variable in trained]
    return dict(zip(names, tape.gradient(loss, trained), strict=True))


def dense(gradient):
    return np.asarray(tf.convert_to_tensor(gradient))


@pytest.mark.slow
def test_gradients_under_an_eager_tape():
    """Where some of the weights are frozen, see `test_fit`."""
    compiled = gradients(skip_elmo(finetune="all", jit_compile=True))
    plain = gradients(skip_elmo(finetune="all", jit_compile=False))
    assert set(compiled) == set(plain)
    for name, gradient in plain.items():
        expected = dense(gradient)
        assert np.abs(expected).max() > 0, name
        np.testing.assert_allclose(dense(compiled[name]), expected, **TOLERANCE)


def test_gradients_of_the_biLM_equal_those_of_keras():
    """Where no custom call stands between: a tape over the bare `BiLM`."""
    elmo = skip_elmo(finetune="all", jit_compile=False)
    integers = elmo.preprocessor(TEXT)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(elmo(integers)["lstm_outputs2"]))
    through_elmo = tape.gradient(loss, elmo.bilm.trainable_variables)
    keep = elmo.compute_mask(integers)["elmo"][..., None]
    with tf.GradientTape() as tape:
        top = elmo.bilm(integers)[-1][:, 1:-1] * tf.cast(keep, "float32")
        loss = tf.reduce_mean(tf.square(top))
    bare = tape.gradient(loss, elmo.bilm.trainable_variables)
    for left, right in zip(through_elmo, bare, strict=True):
        np.testing.assert_allclose(dense(left), dense(right), **TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("finetune", [None, "lstm"])
def test_fit(finetune):
    """Two steps of training end at the same weights, compiled or not."""
    weights = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(0)
        text = keras.Input((), dtype="string")
        elmo = small_elmo(
            finetune=finetune, jit_compile=jit_compile, output_key="default"
        )
        model = keras.Model(text, keras.layers.Dense(1)(elmo(text)))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(TEXT, LABELS, epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for left, right in zip(*weights, strict=True):
        np.testing.assert_allclose(left, right, **TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize(("distinct", "inner"), [(True, False), (False, True)])
def test_whole_model_compiles_on_integers(distinct, inner):
    preprocessor = ElmoPreprocessor(sentence_boundaries=True, distinct=distinct)
    integers = {k: v.numpy() for k, v in preprocessor(TEXT).items()}
    losses = []
    for outer in (True, False):
        keras.utils.set_random_seed(0)
        elmo = small_elmo(jit_compile=inner, output_key="default", finetune="lstm")
        inputs = {
            name: keras.Input(batch_shape=[None] * value.ndim, dtype="int32", name=name)
            for name, value in integers.items()
        }
        model = keras.Model(inputs, keras.layers.Dense(1)(elmo(inputs)))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=outer)
        assert model.jit_compile is outer
        # One batch an epoch; its axes differ between the integers.
        batches = tf.data.Dataset.from_tensors((integers, LABELS))
        losses.append(model.fit(batches, epochs=3, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, **TOLERANCE)
    assert losses[0][0] > losses[0][-1]


def test_a_model_on_strings_is_never_compiled_as_a_whole():
    """Keras compiles models by itself where it sees a GPU."""
    text = keras.Input((), dtype="string")
    model = keras.Model(text, skip_elmo(output_key="default")(text))
    assert not all(layer.supports_jit for layer in model.layers)
    elmo = skip_elmo(output_key="default")
    model = keras.Model(text, elmo(elmo.preprocessor(text)))
    assert not all(layer.supports_jit for layer in model._flatten_layers())


def test_what_it_is_connected_to_decides_whether_xla_takes_all():
    """Direct calls, of whatever kind, change nothing."""
    elmo = skip_elmo(output_key="default")
    for inputs in (TEXT, elmo.preprocessor(TEXT)):
        elmo(inputs)
        assert elmo.supports_jit is False
    integers = {
        name: keras.Input(batch_shape=[None] * len(value.shape), dtype="int32")
        for name, value in elmo.preprocessor(TEXT).items()
    }
    elmo(integers)
    assert elmo.supports_jit is True
    elmo(TEXT)
    assert elmo.supports_jit is True
    elmo.supports_jit = False
    assert elmo.supports_jit is False


@pytest.mark.slow
def test_reloaded_model_compiles_too(tmp_path):
    elmo = small_elmo(output_key="elmo")
    integers = {k: v.numpy() for k, v in elmo.preprocessor(TEXT).items()}
    inputs = {
        name: keras.Input(batch_shape=[None] * value.ndim, dtype="int32", name=name)
        for name, value in integers.items()
    }
    model = keras.Model(inputs, keras.layers.LSTM(2)(elmo(inputs)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.compile("sgd", "mse", jit_compile=True)
    assert loaded.jit_compile is True
    predicted = loaded.predict_on_batch(integers)
    np.testing.assert_allclose(predicted, model(integers), **TOLERANCE)


@pytest.mark.slow
def test_any_size_gives_the_same(skip_model):
    """Sizes are rounded up; short and long, few and many come out as without."""
    compiled = ElmoEmbedding.from_hdf5(**skip_model.files, jit_compile=True)
    plain = ElmoEmbedding(compiled.bilm, jit_compile=False)
    words = ["a", "bb", "c" * 60, "été"]
    for sentences in (["a"], [""], ["a " * 13, "x"], [" ".join(words)] * 5):
        left, right = compiled(sentences), plain(sentences)
        for key in left:
            assert left[key].shape == right[key].shape
            np.testing.assert_allclose(left[key], right[key], **TOLERANCE)


def test_auto_is_off_without_a_gpu_and_on_with_one(monkeypatch):
    for devices in ([], ["GPU:0"]):
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda kind, d=devices: d
        )
        elmo = skip_elmo(jit_compile="auto")
        assert elmo.computation.run_bilm.is_compiled is bool(devices)


def test_sizes_of_batches_leave_nothing_behind(frozen_elmo):
    def specifications():
        gc.collect()
        return sum(isinstance(thing, tf.TensorSpec) for thing in gc.get_objects())

    frozen_elmo(["a"])
    before = specifications()
    for size in range(2, 8):
        frozen_elmo(["a b c"] * size)
    assert specifications() == before


@pytest.mark.parametrize("dtypes", [["float32", "mixed_float16"], ["mixed_float16"]])
def test_calls_inside_layers_of_another_precision(dtypes):
    class Caller(keras.layers.Layer):
        def call(self, inputs):
            return tf.constant(elmo.encode(["a b", "c"]))

    elmo = skip_elmo()
    for dtype in dtypes:
        inside = Caller(dtype=dtype)(tf.zeros([1]))
    np.testing.assert_allclose(inside, elmo.encode(["a b", "c"]), atol=1e-2)


def test_functions_that_run_eagerly_for_who_looks_for_a_mistake(monkeypatch):
    elmo = skip_elmo()
    expected = elmo(TEXT)["elmo"]
    calls = []
    call = elmo.bilm.call
    monkeypatch.setattr(
        elmo.bilm, "call", lambda *a, **k: calls.append(1) or call(*a, **k)
    )
    elmo(TEXT)
    assert not calls
    tf.config.run_functions_eagerly(True)
    try:
        np.testing.assert_allclose(elmo(TEXT)["elmo"], expected, **TOLERANCE)
    finally:
        tf.config.run_functions_eagerly(False)
    assert calls


@functools.cache
def lowered_for_gpu(backward, time):
    """The HLO for a platform that is not here, and the graph that it is made of.

    Weights are arguments, and shapes are known.
    """
    elmo = skip_elmo(finetune="lstm", jit_compile=True)
    core = elmo.computation.run_bilm._run
    names = ["char_ids", "token_index", "sequence_len"]
    trained = [tf.TensorSpec(v.shape, v.dtype) for v in elmo.bilm.bilstm.variables]
    frozen = [tf.TensorSpec(v.shape, v.dtype) for v in elmo.bilm.char_cnn.variables]
    upstream = [tf.TensorSpec((4, time, size)) for size in (12, 24, 24)]

    def flat(*arguments):
        integers = dict(zip(names, arguments[:3], strict=True))
        weights = arguments[3:]
        split, end = len(trained), len(trained) + len(frozen)
        parts = (integers,), list(weights[:split]), list(weights[split:end])
        if backward:
            return core._gradients(*parts, list(weights[end:]))
        return core._call(*parts)

    specs = [tf.TensorSpec(shape, "int32") for shape in [(11, 16), (4, time), (4,)]]
    specs += [*trained, *frozen, *(upstream if backward else [])]
    function = tf.function(flat, jit_compile=True, autograph=False)
    lower = function.experimental_get_compiler_ir(*specs)
    graph = function.get_concrete_function(*specs).graph.as_graph_def()
    return lower(stage="hlo", platform_name="GPU"), graph


@pytest.mark.parametrize("backward", [False, True])
def test_lowers_for_gpu_without_host_or_string_ops(backward):
    hlo, graph = lowered_for_gpu(backward, time=8)
    assert "convolution(" in hlo
    for host in ("infeed", "outfeed", "send(", "recv(", "custom-call", "host"):
        assert host not in hlo, host
    assert "callback" not in hlo.lower()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    types = [node.attr[key].type for node in nodes for key in ("T", "dtype")]
    assert tf.string.as_datatype_enum not in types
    assert not any("String" in node.op or "PyFunc" in node.op for node in nodes)


@pytest.mark.parametrize("backward", [False, True])
def test_loops_for_gpu_are_as_many_for_any_length(backward):
    """One an LSTM, of both layers and directions, and one back again."""
    hlos = [lowered_for_gpu(backward, time)[0] for time in (8, 128)]
    short, long = (hlo.count("while(") for hlo in hlos)
    assert short == long == (8 if backward else 4)
    # Nor is a loop unrolled in part: the program itself is as long.
    assert len(hlos[1].splitlines()) == len(hlos[0].splitlines())
