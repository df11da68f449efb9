"""What each choice of the example for film reviews is worth.

    python tests/benchmarks/imdb_ablations.py aclImdb_v1.tar.gz --output ablations

The script is run once for each row, which differs from the first in one choice, and
the test accuracy is printed, or the mean of them with several `--seeds`. All rows take
hours; `--rows` names some of them. Given again, it goes on. `--adapted` names a preset
that has gone on to learn from reviews, as `--adapt` leaves it in
`OUTPUT/adapted/preset`, and adds a row.
"""

import argparse
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROWS = {
    "convolution": [],
    "mean": ["--head=mean"],
    "attention": ["--head=attention"],
    "bilstm": ["--head=bilstm"],
    "150-tokens": ["--max-tokens=150"],
    "700-tokens": ["--max-tokens=700"],
    "layer-0": ["--layer=0"],
    "layer-1": ["--layer=1"],
    "layer-2": ["--layer=2"],
    "words": ["--words=64"],
    "dropout": ["--dropout=0.3"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("data", help="the reviews, archive or folder")
    add("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    add("--adapted", help="a preset that has read reviews")
    add("--limit", help="reviews of each split (default: all)")
    add("--seeds", nargs="+", default=["1"])
    add("--vectors", type=Path, help="folder to keep them in (default: in --output)")
    add("--output", type=Path, default=Path("imdb_ablations"))
    args = parser.parse_args()
    rows = {row: ROWS[row] for row in args.rows}
    if args.adapted:
        rows["adapted"] = [f"--elmo={args.adapted}"]
    for row, choice in rows.items():
        print(f"{row:12} {accuracy(args, row, choice):.4f}", flush=True)


def accuracy(args: argparse.Namespace, row: str, choice: list[str]) -> float:
    """The mean test accuracy of the seeds."""
    options = {
        "--data": args.data,
        "--limit": args.limit,
        "--vectors": args.vectors or args.output / "vectors",
        "--output": args.output / row,
    }
    command = [
        *(sys.executable, "-m", "keras_elmo.examples.imdb", *choice),
        *(f"{name}={value}" for name, value in options.items() if value),
        *("--seeds", *args.seeds),
    ]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return statistics.mean(map(float, re.findall(r"test accuracy (\S+)", told)))


if __name__ == "__main__":
    main()
