"""Perplexity of unigram and trigram models, to compare that of a biLM with.

    python ngrams.py --train 'train/*.txt' --test held_out.txt --vocabulary words.txt

They see what `keras-elmo train` sees: the same words, one more for all others, and the
end of each sentence. Like a biLM's, the perplexity is that of both directions, with one
model a direction; sentences are reversed for the second. The trigram model is
interpolated, with modified Kneser-Ney smoothing, by IRSTLM (Debian's package irstlm).
"""

import argparse
import glob
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path

IRSTLM = Path(os.environ.get("IRSTLM", "/usr/lib/irstlm"))
# A word like others: of what it calls <UNK> itself, IRSTLM asks which word it is.
UNKNOWN = "[unknown]"
SMOOTHING = {1: "witten-bell", 3: "improved-kneser-ney"}


def prepare(files, words, target, is_reversed):
    """Writes sentences as IRSTLM reads them."""
    with open(target, "w", encoding="utf-8") as output:
        for file in files:
            for line in Path(file).read_text(encoding="utf-8").split("\n"):
                tokens = [t if t in words else UNKNOWN for t in line.split()]
                if is_reversed:
                    tokens.reverse()
                if tokens:
                    print("<s>", *tokens, "</s>", file=output)


def perplexity(folder, order):
    """That of a model of `folder/train` on `folder/test`."""
    environment = {**os.environ, "IRSTLM": str(IRSTLM)}

    def run(program, *arguments):
        command = [str(IRSTLM / "bin" / program), *arguments]
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ).stdout

    model = f"{order}.lm.gz"
    smoothing = SMOOTHING[order]
    run("build-lm.sh", "-i", "train", "-n", str(order), "-s", smoothing, "-o", model)
    printed = run("compile-lm", model, "--eval=test")
    result = re.search(r"Nw=(\d+) PP=([\d.]+) .*Noov=(\d+)", printed)
    if result is None or result[3] != "0":
        raise RuntimeError(f"IRSTLM should know all words. It printed:\n{printed}")
    return int(result[1]), float(result[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--vocabulary", required=True, type=Path)
    args = parser.parse_args()
    words = set(args.vocabulary.read_text(encoding="utf-8").split("\n"))
    for order in SMOOTHING:
        values = []
        for is_reversed in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                for name in ("train", "test"):
                    files = glob.glob(getattr(args, name))
                    prepare(files, words, Path(folder) / name, is_reversed)
                tokens, value = perplexity(folder, order)
            values.append(value)
        forward, backward = values
        both = math.sqrt(forward * backward)
        print(
            f"{order}-gram, {tokens} tokens: forward {forward:.1f}, "
            f"backward {backward:.1f}, both {both:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
