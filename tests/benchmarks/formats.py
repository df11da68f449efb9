"""What each format of `keras-elmo embed` takes to write and to read.

    python tests/benchmarks/formats.py text.txt

The lines of the text are embedded by `tiny_en` to each format in turn, three times, and
medians are printed: seconds to embed and write them, to read a thousand of them in a
random order, and to read all, and the bytes on disk. What they are read from is in
memory by then, so that this is the work of the format and not of the disk.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_elmo import ElmoEmbedding, bulk

# By name, the output and the dtype of vectors.
KINDS = {
    "npy": ("vectors", "float32"),
    "npy, int16": ("vectors", "int16"),
    "hdf5": ("vectors.hdf5", "float32"),
    "parquet": ("vectors.parquet", "float32"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, help="sentences, one a line")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    elmo = ElmoEmbedding.from_preset("tiny_en")
    elmo.encode(["a sentence to begin with"])  # what is done but once is not measured
    measured = {name: [] for name in KINDS}
    for _ in range(args.repeat):
        for name, kind in KINDS.items():
            measured[name].append(measure(elmo, args.text, *kind))
    print("format       write  1,000 lines  all lines      MB")
    for name, runs in measured.items():
        write, some, everything, size = map(statistics.median, zip(*runs, strict=True))
        seconds = f"{write:7.1f} s{some:11.2f} s{everything:9.2f} s"
        print(f"{name:10}{seconds}{size / 1e6:8.0f}")


def measure(
    elmo: ElmoEmbedding, text: Path, name: str, dtype: str
) -> tuple[float, ...]:
    """Seconds to write, to read some lines, to read all, and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / name
        start = time.monotonic()
        bulk.embed_corpus(elmo, text, output, dtype=dtype, report=lambda line: None)
        write = time.monotonic() - start
        with bulk.open(output) as vectors:
            numbers = np.random.default_rng(1).permutation(len(vectors))
            some = seconds_of(vectors, numbers[:1000])
            everything = seconds_of(vectors, range(len(vectors)))
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        return write, some, everything, sum(path.stat().st_size for path in files)


def seconds_of(vectors: bulk.Embeddings, numbers) -> float:
    """Seconds to read these lines, each value of them."""
    start = time.monotonic()
    for number in numbers:
        vectors[int(number)].sum()
    return time.monotonic() - start


if __name__ == "__main__":
    main()
