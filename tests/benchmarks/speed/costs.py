"""The rows of what a fine-tuning step, padding, memory and the import cost."""

import keras
import once
import tensorflow as tf
from contest import Ours
from machine import Arithmetic
from parts import time_of_parts
from table import Line
from ways import in_tensor, padded

from keras_elmo import ElmoEmbedding

MIB = 2**20


def finetuning(bench):
    """A step of `finetune="lstm"`, 32 x 30: forward and gradient, nothing learned."""
    elmo = ElmoEmbedding.from_hdf5(*bench.files, output_key="elmo", finetune="lstm")
    text = keras.Input((), dtype="string")
    pooled = keras.layers.GlobalAveragePooling1D()(elmo(text))
    model = keras.Model(text, keras.layers.Dense(1)(pooled))
    model.compile(keras.optimizers.SGD(0.0), "mse")

    def tape(sentences):
        with tf.GradientTape() as tape:
            outputs = elmo(sentences)
            loss = tf.reduce_mean(outputs**2)
        tape.gradient(loss, elmo.trainable_variables)
        return outputs

    def train(sentences):
        return model.train_on_batch(sentences, tf.zeros([len(sentences), 1]))

    ours = {
        "direct call and tape": Ours(tape, bench.equal),
        "train_on_batch": Ours(train, bench.equal, prepare=in_tensor),
    }
    measured = bench.measure(ours)
    arithmetic = Arithmetic(elmo.bilm)
    # Backward, an LSTM takes twice what it takes forward.
    flops = arithmetic.flops(bench.equal) + 2 * 32 * (30 + 2) * arithmetic.lstm
    way = "direct call and tape"
    # Taken after steps, which change nothing.
    difference = bench.differences({way: ours[way]})[way]
    for name in ours:
        yield Line(
            f'finetune="lstm", a step, 32 x 30, {name}',
            "s",
            measured.seconds[name],
            limit=measured.machine.seconds(flops),
            difference=difference,
        )


def padding(bench):
    """16 documents of at most 52 words, padded to 1,000 tokens."""
    documents = joined(bench.sentences, 52)[:16]
    longest = max(map(len, documents))
    ours = {
        length: Ours(bench.elmo, documents, prepare=padded(length))
        for length in (longest, 1000)
    }
    measured = bench.measure(ours)
    rate = bench.limit(measured.machine, [documents])
    yield Line(
        f"16 documents of at most {longest} words, padded to 1,000",
        "s",
        measured.seconds[1000],
        {f"to {longest}": measured.seconds[longest]},
        limit=sum(map(len, documents)) / rate,
        difference=bench.differences(ours)[1000],
    )


def memory(bench):
    """The peak of a process of its own."""
    peak = once.measure("direct", bench.args.sentences, *bench.files) / MIB
    yield Line("memory at the peak, 32 x 30, direct call", "MiB", [peak])
    few, many = 1_000, 1_000_000 if bench.args.million else 100_000
    text = bench.args.sentences
    peaks = {n: once.measure("embed", text, n) / MIB for n in (few, many)}
    yield Line(
        f"memory at the peak, tiny_en, embed, {many:,} short sentences",
        "MiB",
        [peaks[many]],
        {f"{few:,}": [peaks[few]]},
    )


def importing(bench):
    """The import of keras_elmo beyond TensorFlow and Keras."""
    seconds = [once.measure("import") for _ in range(bench.args.rounds)]
    yield Line("import, beyond TensorFlow and Keras", "s", seconds)


def parts(bench):
    """Where the time of a direct call goes."""
    for name, sentences in (
        ("32 x 30 tokens", bench.equal),
        ("32 natural sentences", bench.sample[:32]),
    ):
        seconds = time_of_parts(bench.elmo, sentences, bench.args.rounds)
        yield Line(f"parts, {name}", "s", [sum(seconds.values())], parts=seconds)


def joined(sentences, most):
    """Documents of at most so many words, each of sentences in a row."""
    documents = [[]]
    for tokens in sentences:
        if len(documents[-1]) + len(tokens) > most:
            documents.append([])
        documents[-1].extend(tokens[:most])
    return documents
