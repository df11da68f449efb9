"""How long a model takes to load, and how much memory at the peak.

    python loading.py SOURCE...          (a preset, or options.json and weights.hdf5)

Loads it in `--rounds` fresh processes and prints the medians: seconds, and the peak of
the resident memory beyond what the process had after it loaded a tiny model, as a
multiple of the size of the weights' file. Beside these, the machine's own ceiling: the
seconds it takes to read the bytes of the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path


def memory(field):
    """Bytes of this process: `VmRSS` now, `VmHWM` at the peak (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


def measure(source):
    from keras_elmo import BiLM
    from keras_elmo.weights.open_weights import open_weights

    BiLM([[1, 4]], units=4, projection_dim=4)
    before = memory("VmRSS")
    start = time.monotonic()
    bilm = BiLM.from_stored_model(open_weights(source))
    seconds = time.monotonic() - start
    peak = memory("VmHWM") - before
    return {"seconds": seconds, "peak": peak, "parameters": bilm.count_params()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(measure(args.source)))
        return
    largest = max((p for p in args.source if os.path.isfile(p)), key=os.path.getsize)
    size = os.path.getsize(largest)
    results, reading = [], []
    for _ in range(args.rounds):
        start = time.monotonic()
        Path(largest).read_bytes()
        reading.append(time.monotonic() - start)
        command = [sys.executable, __file__, *args.source, "--once"]
        output = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append(json.loads(output.stdout.splitlines()[-1]))
    seconds, peak = (
        statistics.median(result[key] for result in results)
        for key in ("seconds", "peak")
    )
    print(f"{size / 1e6:.0f} MB, {results[0]['parameters']:,} parameters")
    print(f"loaded in {seconds:.2f} s; its bytes read in {min(reading):.2f} s")
    print(f"memory at the peak: {peak / size:.2f} times the file's size")


if __name__ == "__main__":
    main()
