"""Hours of calls from many threads: no number changes, and no memory is lost.

    python tests/endurance/soak.py --minutes 30
    python tests/endurance/soak.py --loads 1000

The first calls one layer, and then one SavedModel, from eight threads with batches of
all sizes, and compares each output with that of one thread before, to the last bit. The
second loads a small model as often, from a preset and from a SavedModel, with
`keras.utils.clear_session()` after each. Both tell the memory of the process, which
should stay what it is after the first minute or tenth, and fail if it grows by more
than `--megabytes`.
"""

import argparse
import gc
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding

_THREADS = 8
_WORDS = "the cat sat on a mat while rain fell over distant hills".split()  # noqa: SIM905
_BATCHES = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="of each kind")
    parser.add_argument("--loads", type=int, help="load so often, in place of calls")
    parser.add_argument("--weights", default="tiny_en")
    parser.add_argument("--megabytes", type=float, default=64, help="allowed growth")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "served"
        elmo = ElmoEmbedding.from_preset(args.weights)
        elmo.export(served)
        if args.loads:
            del elmo
            grown = [load_often(args.loads, args.weights, served)]
        else:
            call = signature_of(tf.saved_model.load(str(served)))
            grown = [
                call_often("layer", elmo, args.minutes),
                call_often("SavedModel", call, args.minutes),
            ]
    return int(max(grown) > args.megabytes)


def signature_of(model) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """What a server calls; it keeps the model that it is of."""
    signature = model.signatures["serving_default"]
    return lambda strings: model and signature(strings=strings)


def call_often(name: str, call, minutes: float) -> float:
    """Megabytes that were lost after the first minute."""
    chance = random.Random(0)
    batches = [batch(chance) for _ in range(_BATCHES)]
    expected = [outputs_of(call, strings) for strings in batches]
    end = time.monotonic() + 60 * minutes
    counts = [0] * _THREADS
    failures: list[str] = []

    def run(thread: int) -> None:
        own = random.Random(thread)
        try:
            while time.monotonic() < end and not failures:
                number = own.randrange(_BATCHES)
                outputs = outputs_of(call, batches[number])
                for key, value in expected[number].items():
                    if not np.array_equal(outputs[key], value):
                        failures.append(f"{name}: {key} of batch {number} is another")
                counts[thread] += 1
        except Exception as error:
            failures.append(f"{name}: {error!r}")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(_THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(min(60, 30 * minutes))
    first = megabytes()
    for thread in threads:
        thread.join()
    if failures or not all(counts):
        sys.exit(failures[0] if failures else f"{name}: a thread did nothing")
    gc.collect()
    last = megabytes()
    print(
        f"{name}: {sum(counts):,} calls of {_THREADS} threads in {minutes:g} min, none "
        f"differs; {first:.0f} MB after the first minute, {last:.0f} MB at the end"
    )
    return last - first


def outputs_of(call, strings: tf.Tensor) -> dict[str, np.ndarray]:
    """All outputs of a call."""
    return {name: np.asarray(value) for name, value in call(strings).items()}


def batch(chance: random.Random) -> tf.Tensor:
    """From 1 to 16 sentences of 0 to 30 words."""
    return tf.constant(
        [
            " ".join(chance.choices(_WORDS, k=chance.randrange(31)))
            for _ in range(chance.randrange(1, 17))
        ]
    )


def load_often(loads: int, weights: str, served: Path) -> float:
    """Megabytes that were lost after the first tenth of the loads."""
    text = tf.constant(["the cat sat", "dogs"])
    tenth = max(1, loads // 10)
    seen = []
    for number in range(loads):
        ElmoEmbedding.from_preset(weights)(text)
        signature_of(tf.saved_model.load(str(served)))(text)
        # TensorFlow keeps something for each new name of a variable, so that layers
        # have to get the names of those that are gone.
        keras.utils.clear_session()
        if number % tenth == tenth - 1:
            gc.collect()
            seen.append(megabytes())
            print(
                f"{number + 1:,} loads from a preset and a SavedModel each: "
                f"{seen[-1]:.0f} MB",
                flush=True,
            )
    return seen[-1] - seen[0]


def megabytes() -> float:
    """What the process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    sys.exit(main())
