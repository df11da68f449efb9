"""What each choice of the example for film reviews is worth.

    python tests/benchmarks/imdb_ablations.py aclImdb_v1.tar.gz --output ablations

The script is run once for each row, which differs from the first in one choice, on a
part of the reviews and from two seeds; the mean of their test accuracies is printed.
Given again, it goes on. `--adapted` names a preset that has gone on to learn from
reviews, as `--adapt` leaves it in `OUTPUT/adapted/preset`.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROWS = {
    "convolution over the mix of 400 tokens": [],
    "the mean": ["--head=mean"],
    "attention": ["--head=attention"],
    "biLSTM": ["--head=bilstm"],
    "150 tokens": ["--max-tokens=150"],
    "700 tokens": ["--max-tokens=700"],
    "word_emb alone": ["--layer=0"],
    "the first layer alone": ["--layer=1"],
    "the second layer alone": ["--layer=2"],
    "word embeddings too": ["--words=64"],
    "dropout": ["--dropout=0.3"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the reviews, archive or folder")
    parser.add_argument("--adapted", help="a preset that has read reviews")
    parser.add_argument("--limit", type=int, default=5000, help="reviews of each split")
    parser.add_argument("--output", type=Path, default=Path("imdb_ablations"))
    args = parser.parse_args()
    rows = dict(ROWS)
    if args.adapted:
        rows["adapted to reviews"] = [f"--elmo={args.adapted}"]
    for name, options in rows.items():
        print(f"{name:40} {accuracy(args, name, options):.4f}", flush=True)


def accuracy(args: argparse.Namespace, name: str, options: list[str]) -> float:
    """The mean test accuracy of two seeds."""
    output = args.output / re.sub(r"\W+", "_", name)
    command = [
        *(sys.executable, "-m", "keras_elmo.examples.imdb", "--seeds", "1", "2"),
        *(f"--data={args.data}", f"--limit={args.limit}", f"--output={output}"),
        *(f"--vectors={args.output / 'vectors'}", *options),
    ]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    one, two = re.findall(r"test accuracy (\S+)", told)
    return (float(one) + float(two)) / 2


if __name__ == "__main__":
    main()
