"""What is measured in a fresh process: the peak of memory, and the import.

    python once.py import
    python once.py direct sentences.txt options.json weights.hdf5
    python once.py embed sentences.txt 1000

Prints JSON: seconds of the import, or bytes.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(*arguments):
    """Runs this file as a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(printed.decode().splitlines()[-1])


def peak():
    """Bytes of resident memory at the peak (Linux)."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def seconds_of_import():
    """Of keras_elmo, beyond TensorFlow and Keras."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    start = time.perf_counter()
    import keras_elmo  # noqa: F401

    return time.perf_counter() - start


def direct(sentences, options, weights):
    """A direct call on 32 sentences of 30 tokens."""
    from keras_elmo import ElmoEmbedding

    words = itertools.cycle(Path(sentences).read_text("utf-8").split())
    batch = [" ".join(itertools.islice(words, 30)) for _ in range(32)]
    elmo = ElmoEmbedding.from_hdf5(options, weights, output_key="elmo")
    for _ in range(3):
        elmo(batch)


def embed(sentences, number):
    """The command, on a file of so many short sentences, by `tiny_en`."""
    from keras_elmo.cli.main import main

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        with open(text, "w", encoding="utf-8") as file:
            file.writelines(short_sentences(sentences, int(number)))
        main(embed_arguments(text, Path(folder) / "out", "default", "npy", "tiny_en"))


def short_sentences(sentences, number):
    """Lines of at most ten tokens, again and again."""
    with open(sentences, encoding="utf-8") as file:
        short = [line for line in file if 0 < len(line.split()) <= 10]
    return itertools.islice(itertools.cycle(short), number)


def embed_arguments(text, output, layers, form, *weights):
    options = ["--layers", layers, "--format", form, "--weights", *weights]
    return ["embed", str(text), str(output), *map(str, options)]


CASES = {"direct": direct, "embed": embed}


def main(case, *arguments):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if case == "import":
        result = seconds_of_import()
    else:
        CASES[case](*arguments)
        result = peak()
    print("\n" + json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
