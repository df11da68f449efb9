"""Loads a SavedModel in every way there is, with nothing of this package.

`main` writes every output that came, by `loader/signature/name`, to an .npz file.
"""

import importlib.metadata
import json
import sys

import keras
import numpy as np
import tensorflow as tf


def by_load(folder, strings, tokens):
    loaded = tf.saved_model.load(folder)
    signatures = loaded.signatures
    yield "signature/default", signatures["default"](strings=strings)
    yield "signature/serving_default", signatures["serving_default"](strings=strings)
    yield "signature/tokens", signatures["tokens"](**tokens)
    yield "call/default", loaded(strings)
    yield "call/tokens", loaded(tokens)
    yield "call/not_training", loaded(strings, training=False)
    yield "training/first", loaded(strings, training=True)
    yield "training/second", loaded(strings, training=True)
    yield from training(loaded, strings)


def training(loaded, strings):
    """What TF-Hub asks of modules that are to be trained."""
    variables = loaded.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded(strings)["elmo"] ** 2)
    gradients = tape.gradient(loss, variables)
    yield "gradients", dict(zip(("weights", "scaling"), gradients, strict=True))
    losses = loaded.regularization_losses
    yield "losses", {str(index): loss() for index, loss in enumerate(losses)}
    kinds = [variable.trainable for variable in loaded.variables]
    yield "count", {"trainable": np.sum(kinds), "variables": len(kinds)}
    variables[1].assign(2.0)
    yield "scaled/default", loaded(strings)


def by_keras(folder, strings, tokens):
    inputs = {"default": strings, "serving_default": strings, "tokens": tokens}
    for endpoint, tensors in inputs.items():
        layer = keras.layers.TFSMLayer(folder, call_endpoint=endpoint)
        yield f"keras/{endpoint}", layer(tensors)


def by_session(folder, strings, tokens):
    """As TensorFlow Serving runs them."""
    inputs = {"default": {"strings": strings}, "tokens": tokens}
    arrays = tf.nest.map_structure(np.asarray, inputs)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], folder)
        for name, values in arrays.items():
            signature = graph.signature_def[name]
            feed = {signature.inputs[key].name: values[key] for key in values}
            fetches = {key: x.name for key, x in signature.outputs.items()}
            yield f"session/{name}", session.run(fetches, feed)


def by_command(folder, strings, tokens):
    """`saved_model_cli run`, as the installed command starts it."""
    (command,) = importlib.metadata.entry_points(
        group="console_scripts", name="saved_model_cli"
    )
    sentences = repr(strings.numpy().tolist())
    sys.argv = ["saved_model_cli", "run", "--dir", folder, "--tag_set", "serve"]
    sys.argv += ["--signature_def", "default", "--input_exprs", f"strings={sentences}"]
    sys.argv += ["--outdir", f"{folder}-outputs"]
    try:
        command.load()()
    except SystemExit as end:
        if end.code:
            raise
    names = ("default", "elmo", "word_emb")
    yield "command/default", {k: np.load(f"{folder}-outputs/{k}.npy") for k in names}


def by_hub(folder, strings, tokens):
    """TensorFlow Hub, if it is installed."""
    try:
        import tensorflow_hub as hub
    except ImportError:
        return
    yield "hub/default", hub.load(folder)(strings)
    yield "hub/tokens", hub.KerasLayer(folder, trainable=True)(tokens)
    layer = hub.KerasLayer(folder, signature="default", signature_outputs_as_dict=True)
    yield "hub/serving_default", layer(strings)


def main(folder, request, output):
    """Calls what a file of arguments by signature names, and writes an .npz file."""
    with open(request, encoding="utf-8") as file:
        inputs = json.load(file)
    strings = tf.constant(inputs["default"]["strings"])
    tokens = {name: tf.constant(value) for name, value in inputs["tokens"].items()}
    arrays = {}
    for loader in (by_load, by_keras, by_session, by_hub, by_command):
        for way, outputs in loader(folder, strings, tokens):
            arrays |= {f"{way}/{key}": np.asarray(x) for key, x in outputs.items()}
    np.savez(output, **arrays)
