"""How fast this package is, beside bilm-tf, AllenNLP and what the machine can do.

    python tests/benchmarks/speed options.json weights.hdf5 --sentences sentences.txt \\
        --bilm python3.7 --allennlp python --json speed.json

`sentences.txt` has a sentence a line, its tokens between spaces. `--bilm` should have
bilm-tf with TensorFlow 1.15, `--allennlp` simple-elmo-pytorch (AllenNLP's Elmo); either
may be left out. All have the model loaded before anything is measured, and take turns.

It prints a table of medians. Its limits are what the machine allows by matrix products,
or by reading memory, measured in the same run (`machine.py` says how they are counted).
Some sentences of every row are compared with ELMo in NumPy, and a first batch with the
peers'. Differences above 1e-5 are an error.
"""

import argparse
import dataclasses
import json
import os
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from bench import Bench, largest_difference
from peer import Peer
from rows import ROWS
from table import table

TOLERANCE = 1e-5
PEERS = {"bilm": "bilm-tf", "allennlp": "AllenNLP"}


def arguments():
    parser = argparse.ArgumentParser(
        prog="speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("options", type=Path)
    add("weights", type=Path)
    add("--sentences", type=Path, metavar="FILE", required=True)
    add("--json", type=Path, metavar="FILE", help="to write all values to")
    for peer in PEERS:
        add(f"--{peer}", metavar="PYTHON")
    add("--rows", nargs="+", metavar="ROW", default=list(ROWS), help=", ".join(ROWS))
    add("--rounds", type=int, default=5, help="the most, of each row")
    add("--seconds", type=float, default=90, help="after which no round is begun")
    add("--limit", type=int, default=128, help="sentences where peers take part")
    add("--checked", type=int, default=8, help="sentences a row, by NumPy")
    add("--million", action="store_true", help="memory for that many sentences")
    args = parser.parse_args()
    if unknown := set(args.rows) - set(ROWS):
        parser.error(f"--rows should be of {list(ROWS)}. Received: {sorted(unknown)}")
    if args.rounds < 1 or args.limit < 1 or args.checked < 1:
        parser.error("--rounds, --limit and --checked should be at least 1")
    return args


def start_peers(args):
    pythons = {peer: getattr(args, peer) for peer in PEERS}
    files = (args.options, args.weights, args.sentences)
    return [
        Peer(peer, PEERS[peer], python, files)
        for peer, python in pythons.items()
        if python
    ]


def from_peers(bench):
    """The difference from each peer, of a batch which they begin with fresh states."""
    sentences = bench.sample[:8]
    ours = bench.elmo([" ".join(tokens) for tokens in sentences])
    return {
        peer.name: largest_difference(ours, peer.outputs(sentences))
        for peer in bench.peers
    }


def measure(bench, names):
    """The lines of these rows, and the names of those that failed."""
    lines, failed = [], []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            for line in ROWS[name](bench):
                lines.append(line)
        except Exception:  # or minutes of other rows would be lost
            traceback.print_exc()
            failed.append(name)
    return lines, failed


def main():
    args = arguments()
    text = args.sentences.read_text("utf-8")
    sentences = [line.split() for line in text.split("\n") if line.strip()]
    peers = start_peers(args)
    bench = Bench((args.options, args.weights), sentences, peers, args)
    differences = from_peers(bench)
    lines, failed = measure(bench, args.rows)
    for peer in peers:
        peer.close()
    results = {
        "versions": {
            "TensorFlow": tf.__version__,
            "Keras": keras.__version__,
            **{peer.name: peer.version for peer in peers},
        },
        "processors": len(os.sched_getaffinity(0)),
        "machine": dataclasses.asdict(bench.machine),
        "differences": differences,
        "lines": [dataclasses.asdict(line) for line in lines],
    }
    if args.json:
        args.json.write_text(json.dumps(results, indent=1), "utf-8")
    print(table(lines))
    print(bench.machine)
    for name, difference in differences.items():
        print(f"From {name}, first batch: {difference:.1e}")
    differences |= {line.row: line.difference for line in lines}
    wrong = {
        k: v for k, v in differences.items() if v is not None and not v <= TOLERANCE
    }
    if failed:
        sys.exit(f"Rows that failed, see above: {failed}")
    if wrong:
        sys.exit(f"Differences should be at most {TOLERANCE}. Received: {wrong}")


if __name__ == "__main__":
    main()
