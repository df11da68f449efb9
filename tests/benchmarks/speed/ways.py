"""Ways of embedding, as functions of what a contestant prepares."""

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import once
import tensorflow as tf
from bench import in_batches


def direct_calls(elmo):
    def run(sentences):
        batches = map(elmo, in_batches(sentences, 32))
        return [row for outputs in batches for row in outputs.numpy()]

    return run


def encode(elmo):
    return lambda sentences: elmo.encode(sentences, output_key="elmo", progress=False)


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
