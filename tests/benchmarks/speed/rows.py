"""The rows of the table: each takes a `Bench` and yields lines."""

import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import keras
import once
import tensorflow as tf
from bench import in_batches
from contest import Ours
from machine import Arithmetic
from parts import time_of_parts
from plain import PlainElmo
from table import Line

from keras_elmo import ElmoEmbedding

MIB = 2**20


class Missing(Exception):
    """A row needs what this version of the package has not."""


def equal(bench):
    """32 sentences of 30 tokens, one direct call."""
    ours = Ours(bench.elmo, bench.equal)
    measured = bench.measure({"ours": ours, **bench.all_peers(bench.equal, 32)})
    speeds = measured.tokens_per_second
    yield Line(
        "32 x 30 tokens, direct call",
        "tokens/s",
        speeds.pop("ours"),
        speeds,
        limit=bench.limit([bench.equal]),
        difference=bench.difference(ours),
    )


def sentence(bench):
    """One sentence of 20 tokens, one direct call."""
    sentences = [bench.words[:20]]
    ours = Ours(bench.elmo, sentences)
    measured = bench.measure({"ours": ours, **bench.all_peers(sentences, 1)})
    seconds = measured.seconds
    size = Arithmetic(bench.elmo.bilm).recurrent_bytes(sentences[0])
    yield Line(
        "one sentence of 20 tokens, direct call",
        "s",
        seconds.pop("ours"),
        seconds,
        limit=bench.machine.reading_seconds(size),
        difference=bench.difference(ours),
    )


def natural(bench):
    """Natural sentences as they come, in batches of 32."""
    text = keras.Input((), dtype="string")
    model = keras.Model(text, bench.elmo(text))

    def predict(sentences):
        return model.predict(tf.constant(sentences), batch_size=32, verbose=0)

    ours = {
        "direct calls": Ours(direct_calls(bench.elmo), bench.sample),
        "predict": Ours(predict, bench.sample),
    }
    measured = bench.measure({**ours, **bench.all_peers(bench.sample, 32)})
    speeds = measured.tokens_per_second
    values = {name: speeds.pop(name) for name in ours}
    for name, way in ours.items():
        yield Line(
            f"natural sentences, batches of 32, {name}",
            "tokens/s",
            values[name],
            speeds,
            limit=bench.limit(in_batches(bench.sample, 32)),
            difference=bench.difference(way),
        )


def corpus(bench):
    """All sentences by `encode` and `keras-elmo embed`; the peers embed the sample."""
    ours = {}
    if hasattr(bench.elmo, "encode"):
        ours["encode"] = Ours(encode(bench.elmo), bench.sentences)
    if has_embed():
        # A process of its own, whose start counts.
        run = embed(bench.files)
        ours["keras-elmo embed"] = Ours(run, bench.sentences, warm_up=())
    if not ours:
        raise Missing("ElmoEmbedding.encode, keras-elmo embed")
    peers = bench.all_peers(bench.sample, 32, 64)
    speeds = bench.measure({**ours, **peers}).tokens_per_second
    values = {name: speeds.pop(name) for name in ours}
    for name, way in ours.items():
        yield Line(
            f"all natural sentences, {name}",
            "tokens/s",
            values[name],
            speeds,
            limit=bench.limit([bench.sentences]),
            difference=bench.difference(way),
        )


def tiny(bench):
    """All sentences by `tiny_en`."""
    elmo = ElmoEmbedding.from_preset("tiny_en", output_key="elmo")
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "options.json", Path(folder) / "weights.hdf5"
        elmo.to_hdf5(*files)
        plain = PlainElmo(*files)
    ours = {"direct calls, batches of 32": Ours(direct_calls(elmo), bench.sentences)}
    limits = [bench.limit(in_batches(bench.sentences, 32), elmo)]
    if hasattr(elmo, "encode"):
        ours["encode"] = Ours(encode(elmo), bench.sentences)
        limits.append(bench.limit([bench.sentences], elmo))
    speeds = bench.measure(ours).tokens_per_second
    for (name, way), limit in zip(ours.items(), limits, strict=True):
        yield Line(
            f"tiny_en, all natural sentences, {name}",
            "tokens/s",
            speeds[name],
            limit=limit,
            difference=bench.difference(way, plain),
        )


def growth(bench):
    """Texts of 1,000 to 100,000 tokens, the file again and again, by `tiny_en`."""
    elmo = ElmoEmbedding.from_preset("tiny_en", output_key="elmo")
    if not hasattr(elmo, "encode"):
        raise Missing("ElmoEmbedding.encode")
    ours = {}
    for tokens in (1_000, 10_000, 100_000):
        number = round(tokens * len(bench.sentences) / len(bench.words))
        text = itertools.islice(itertools.cycle(bench.sentences), number)
        ours[f"{tokens:,} tokens"] = Ours(encode(elmo), list(text))
    seconds = bench.measure(ours).seconds
    micro = {
        name: [1e6 * value / ours[name].tokens for value in values]
        for name, values in seconds.items()
    }
    *_, longest = micro
    yield Line(
        f"tiny_en, encode, growth to {longest}",
        "µs/token",
        micro.pop(longest),
        micro,
    )


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
    seconds = bench.measure(ours).seconds
    arithmetic = Arithmetic(elmo.bilm)
    # Backward, an LSTM takes twice what it takes forward.
    flops = arithmetic.flops(bench.equal) + 2 * 32 * (30 + 2) * arithmetic.lstm
    for name in ours:
        yield Line(
            f'finetune="lstm", a step, 32 x 30, {name}',
            "s",
            seconds[name],
            limit=bench.machine.seconds(flops),
            # Taken after steps that change nothing.
            difference=bench.difference(ours["direct call and tape"]),
        )


def padding(bench):
    """16 documents of at most 52 words, padded to 1,000 tokens."""
    documents = joined(bench.sentences, 52)[:16]
    longest = max(map(len, documents))
    ours = {
        length: Ours(bench.elmo, documents, prepare=padded(length))
        for length in (longest, 1000)
    }
    seconds = bench.measure(ours).seconds
    yield Line(
        f"16 documents of at most {longest} words, padded to 1,000",
        "s",
        seconds[1000],
        {f"to {longest}": seconds[longest]},
        limit=sum(map(len, documents)) / bench.limit([documents]),
        difference=bench.difference(ours[1000]),
    )


def memory(bench):
    """The peak of a process of its own."""
    peak = once.measure("memory", "direct", *bench.files) / MIB
    yield Line("memory at the peak, 32 x 30, direct call", "MiB", [peak])
    if has_embed():
        case = "embed"
    elif hasattr(bench.elmo, "encode"):
        case = "encode"
    else:
        raise Missing("ElmoEmbedding.encode, keras-elmo embed")
    few, many = 1_000, 1_000_000 if bench.args.million else 100_000
    peaks = {n: once.measure("memory", case, n) / MIB for n in (few, many)}
    yield Line(
        f"memory at the peak, tiny_en, {case}, {many:,} sentences",
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


def direct_calls(elmo):
    def run(sentences):
        batches = map(elmo, in_batches(sentences, 32))
        return [row for outputs in batches for row in outputs.numpy()]

    return run


def encode(elmo):
    return lambda sentences: elmo.encode(sentences, output_key="elmo", progress=False)


def has_embed():
    command = [sys.executable, "-m", "keras_elmo", "embed", "--help"]
    return subprocess.run(command, capture_output=True).returncode == 0


def embed(files):
    """A function that runs the command and reads what it wrote."""

    def run(sentences):
        with tempfile.TemporaryDirectory() as folder:
            text, output = Path(folder) / "text.txt", Path(folder) / "output.hdf5"
            text.write_text("\n".join(sentences) + "\n", "utf-8")
            arguments = once.embed_arguments(text, output, "elmo", "hdf5", *files)
            command = [sys.executable, "-m", "keras_elmo", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            with h5py.File(output, "r") as file:
                return [file[str(number)][()] for number in range(len(sentences))]

    return run


def in_tensor(sentences):
    return tf.constant([" ".join(tokens) for tokens in sentences])


def padded(length):
    """Makes lists of tokens the form that has their number in each row."""

    def prepare(rows):
        return {
            "tokens": tf.constant([row + [""] * (length - len(row)) for row in rows]),
            "sequence_len": tf.constant([len(row) for row in rows]),
        }

    return prepare


def joined(sentences, most):
    """Documents of at most so many words, each of sentences in a row."""
    documents = [[]]
    for tokens in sentences:
        if len(documents[-1]) + len(tokens) > most:
            documents.append([])
        documents[-1].extend(tokens[:most])
    return documents


ROWS = {
    "equal": equal,
    "sentence": sentence,
    "natural": natural,
    "corpus": corpus,
    "tiny": tiny,
    "growth": growth,
    "finetuning": finetuning,
    "padding": padding,
    "memory": memory,
    "import": importing,
    "parts": parts,
}
