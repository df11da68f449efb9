"""The rows of speed, and all rows by name: each takes a `Bench` and yields lines."""

import itertools
import tempfile
from pathlib import Path

import costs
import keras
import tensorflow as tf
from bench import in_batches
from contest import Ours
from machine import Arithmetic
from plain import PlainElmo
from table import Line
from ways import direct_calls, embed, encode

from keras_elmo import ElmoEmbedding


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
        limit=bench.limit(measured.machine, [bench.equal]),
        difference=bench.differences({"ours": ours})["ours"],
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
        limit=measured.machine.reading_seconds(size),
        difference=bench.differences({"ours": ours})["ours"],
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
    yield from beside(
        bench,
        "natural sentences, batches of 32",
        ours,
        bench.all_peers(bench.sample, 32),
        in_batches(bench.sample, 32),
    )


def compiled(bench):
    """What `jit_compile="auto"` chooses on a CPU, beside XLA."""
    elmo = ElmoEmbedding(bench.elmo.bilm, output_key="elmo", jit_compile=True)
    texts = {
        "32 x 30 tokens": bench.equal,
        "one sentence of 20 tokens": [bench.words[:20]],
        "natural sentences, batches of 32": bench.sample,
    }
    for name, text in texts.items():
        # Programs of all sizes are compiled before anything is measured.
        xla = Ours(direct_calls(elmo), text, warm_up=(len(text),))
        ways = {"ours": Ours(direct_calls(bench.elmo), text), "XLA": xla}
        seconds = bench.measure(ways).seconds
        difference = bench.differences(ways)["XLA"]
        yield Line(
            f"{name}, not compiled",
            "s",
            seconds.pop("ours"),
            seconds,
            difference=difference,
        )


def corpus(bench):
    """All sentences by `encode` and `keras-elmo embed`; the peers embed the sample."""
    ours = {
        "encode": Ours(encode(bench.elmo), bench.sentences),
        # It is a process of its own, whose start counts, so it needs no warming up.
        "keras-elmo embed": Ours(embed(bench.files), bench.sentences, warm_up=()),
    }
    peers = bench.all_peers(bench.sample, 32, 64)
    yield from beside(bench, "all natural sentences", ours, peers, [bench.sentences])


def tiny(bench):
    """All sentences by `tiny_en`."""
    elmo, plain = tiny_en()
    ours = {
        "direct calls": Ours(direct_calls(elmo), bench.sentences),
        "encode": Ours(encode(elmo), bench.sentences),
    }
    batches = {
        "direct calls": in_batches(bench.sentences, 32),
        "encode": [bench.sentences],
    }
    measured = bench.measure(ours)
    differences = bench.differences(ours, plain)
    for name in ours:
        yield Line(
            f"tiny_en, all natural sentences, {name}",
            "tokens/s",
            measured.tokens_per_second[name],
            limit=bench.limit(measured.machine, batches[name], elmo),
            difference=differences[name],
        )


def growth(bench):
    """Texts of 1,000 to 100,000 tokens, the file again and again, by `tiny_en`."""
    elmo, plain = tiny_en()
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
    *_, longest = ours
    yield Line(
        f"tiny_en, encode, {longest}",
        "µs/token",
        micro.pop(longest),
        micro,
        difference=bench.differences({"": ours[longest]}, plain)[""],
    )


def beside(bench, row, ours, peers, batches):
    """A line for each of our ways, beside the peers.

    Args:
        row: What is measured.
        ours: Dictionary of `Ours`, on the same sentences.
        peers: Dictionary of `Theirs`.
        batches: What the limit counts distinct tokens in.
    """
    measured = bench.measure({**ours, **peers})
    speeds = measured.tokens_per_second
    values = {name: speeds.pop(name) for name in ours}
    differences = bench.differences(ours)
    for name in ours:
        yield Line(
            f"{row}, {name}",
            "tokens/s",
            values[name],
            speeds,
            limit=bench.limit(measured.machine, batches),
            difference=differences[name],
        )


def tiny_en():
    """The preset, and its plain path."""
    elmo = ElmoEmbedding.from_preset("tiny_en", output_key="elmo")
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "options.json", Path(folder) / "weights.hdf5"
        elmo.to_hdf5(*files)
        return elmo, PlainElmo(*files)


ROWS = {
    "equal": equal,
    "sentence": sentence,
    "natural": natural,
    "compiled": compiled,
    "corpus": corpus,
    "tiny": tiny,
    "growth": growth,
    "finetuning": costs.finetuning,
    "padding": costs.padding,
    "memory": costs.memory,
    "import": costs.importing,
    "parts": costs.parts,
}
