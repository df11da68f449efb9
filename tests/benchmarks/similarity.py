"""Do cosines of mean vectors tell sentences of one passage from others?

    python tests/benchmarks/similarity.py TEXT [--weights SOURCE ...] [--sentences N]

TEXT has one sentence a line, in the order of the text. A pair of lines one after the
other should be more alike than a pair from anywhere. Prints the mean cosine of the
latter, which would be 0 if vectors pointed everywhere, and the area under the ROC
curve, for vectors as they are, without their mean (`center=True`), and also without
their first principal components (Mu and Viswanath 2018, arXiv:1702.01417).
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import keras_elmo
from keras_elmo.weights.open_weights import open_weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--weights", nargs="+", default=["tiny_en"])
    parser.add_argument("--sentences", type=int, default=4000)
    args = parser.parse_args()
    lines = args.text.read_text("utf-8").splitlines()
    # A line of a few words may be said anywhere.
    lines = [line for line in lines if len(line.split()) >= 8][: args.sentences]
    elmo = keras_elmo.ElmoEmbedding.from_stored_model(open_weights(args.weights))
    vectors = elmo.encode(lines, progress=False)
    centered = elmo.encode(lines, center=True, progress=False)
    rows = {"as they are": vectors, "center=True": centered}
    for count in (1, 3, 10):
        axes = PCA(count).fit(centered).components_
        rows[f"and without {count} components"] = centered - centered @ axes.T @ axes
    print(f"{'':28}{'mean cosine':>12}{'ROC AUC':>9}")
    for name, row in rows.items():
        mean, area = measure(row)
        print(f"{name:28}{mean:12.3f}{area:9.3f}")


def measure(vectors):
    """The mean cosine of random pairs, and how well neighbours stand out of them."""
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    others = np.random.default_rng(0).permutation(len(vectors) - 1)
    neighbours = np.sum(vectors[:-1] * vectors[1:], axis=1)
    random = np.sum(vectors[:-1] * vectors[others], axis=1)
    labels = np.repeat([1, 0], len(others))
    return random.mean(), roc_auc_score(labels, np.concatenate([neighbours, random]))


if __name__ == "__main__":
    main()
