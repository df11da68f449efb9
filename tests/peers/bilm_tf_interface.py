"""Does code for bilm-tf compute the same with `keras_elmo.compat.bilm_tf`?

    python bilm_tf_interface.py ../fixtures/skip --bilm python3.7

calls the same functions of both packages on a model and its sentences: of this one, and
of bilm-tf in a Python that has it with TensorFlow 1.15. It prints the largest
difference of each result, over all tokens; one above 1e-5 is an error. Both carry their
state from batch to batch, as bilm-tf always does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

TOLERANCE = 1e-5
MIXES = {
    "average": {"l2_coef": 0.5},
    "top": {"use_top_only": True},
    "norm": {"l2_coef": 0.0, "do_layer_norm": True},
}


class Work:
    """The model and its sentences, and what both packages make of them.

    Args:
        folder: With `options.json`, `weights.hdf5` and `sentences.json`.
        scratch: A folder for what is written.
    """

    def __init__(self, folder, scratch):
        self.pair = [os.path.join(folder, n) for n in ("options.json", "weights.hdf5")]
        with open(os.path.join(folder, "sentences.json"), encoding="utf-8") as file:
            self.batches = json.load(file)
        rows = [row for batch in self.batches for row in batch]
        words = sorted({token for row in rows for token in row})
        names = ("words.txt", "text.txt", "tokens.hdf5", "text.hdf5")
        paths = [os.path.join(scratch, name) for name in names]
        self.vocabulary, self.text, self.token_file, self.text_file = paths
        self.write(self.vocabulary, "\n".join([*words, "</S>", "<S>"]))
        # Each sentence is alone, since bilm-tf starts the next from its state.
        self.write(self.text, "  " + "\t".join(rows[0]) + "\n")

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def dumped(self):
        with h5py.File(self.token_file, "r") as file:
            tokens = file["embedding"][...]
        with h5py.File(self.text_file, "r") as file:
            return {"tokens": tokens, **{"line_" + key: file[key][...] for key in file}}

    def inputs(self, package):
        """For characters and tokens, the ids of all batches, and the model's files."""
        for kind, batcher, arguments in (
            ("character", package.Batcher(self.vocabulary, 50), {}),
            (
                "token",
                package.TokenBatcher(self.vocabulary),
                {
                    "use_character_inputs": False,
                    "embedding_weight_file": self.token_file,
                },
            ),
        ):
            yield kind, [batcher.batch_sentences(b) for b in self.batches], arguments


def ops_of(package, outputs, kind):
    """What is compared of a model's outputs."""
    ops = {name: outputs[name] for name in ("lm_embeddings", "lengths", "mask")}
    for name, arguments in MIXES.items():
        mix = package.weight_layers(kind + name, outputs, **arguments)
        ops[name] = mix["weighted_op"]
    return ops


def named(kind, number, ids, arrays):
    """Arrays by full names, 0 where there is no token: bilm-tf leaves that open."""
    mask = np.asarray(arrays["mask"])[..., None]
    layers = np.asarray(arrays["lm_embeddings"]) * mask[:, None]
    mixes = {name: np.asarray(arrays[name]) * mask for name in MIXES}
    found = {"ids": ids, "lengths": np.asarray(arrays["lengths"]), "layers": layers}
    return {f"{kind}_{k}_{number}": v for k, v in {**found, **mixes}.items()}


def with_bilm_tf(work):
    import bilm
    import tensorflow as tf

    with tf.Graph().as_default():
        bilm.dump_token_embeddings(work.vocabulary, *work.pair, work.token_file)
    with tf.Graph().as_default():
        bilm.dump_bilm_embeddings(
            work.vocabulary, work.text, *work.pair, work.text_file
        )
    found = work.dumped()
    for kind, batches, arguments in work.inputs(bilm):
        with tf.Graph().as_default(), tf.Session() as session:
            model = bilm.BidirectionalLanguageModel(*work.pair, **arguments)
            shape = [None, None, *batches[0].shape[2:]]
            placeholder = tf.placeholder("int32", shape)
            ops = ops_of(bilm, model(placeholder), kind)
            session.run(tf.global_variables_initializer())
            for number, ids in enumerate(batches):
                arrays = session.run(ops, {placeholder: ids})
                found.update(named(kind, number, ids, arrays))
    return found


def with_this_package(work):
    from keras_elmo.compat import bilm_tf

    bilm_tf.dump_token_embeddings(work.vocabulary, *work.pair, work.token_file)
    bilm_tf.dump_bilm_embeddings(work.vocabulary, work.text, *work.pair, work.text_file)
    found = work.dumped()
    for kind, batches, arguments in work.inputs(bilm_tf):
        arguments = {"stateful": True, **arguments}
        model = bilm_tf.BidirectionalLanguageModel(*work.pair, **arguments)
        for number, ids in enumerate(batches):
            ops = ops_of(bilm_tf, model(ids), kind)
            found.update(named(kind, number, ids, ops))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="with options, weights and sentences")
    parser.add_argument("--bilm", metavar="PYTHON", required=True)
    parser.add_argument("--into", help=argparse.SUPPRESS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = Work(args.folder, scratch)
        if args.into:  # in the peer's own Python
            np.savez(args.into, **with_bilm_tf(work))
            return
        path = os.path.join(scratch, "theirs.npz")
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("TF2_BEHAVIOR", None)  # by which TensorFlow 2 marks it
        command = [args.bilm, __file__, args.folder, "--bilm", "-", "--into", path]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        with np.load(path) as arrays:
            theirs = dict(arrays)
        ours = with_this_package(work)
    if set(ours) != set(theirs):
        sys.exit(f"Both should have the same results. Received: {sorted(ours)}")
    worst = 0.0
    for name, array in ours.items():
        np.testing.assert_equal(array.shape, theirs[name].shape, name)
        np.testing.assert_equal(array.dtype, theirs[name].dtype, name)
        difference = np.abs(array - theirs[name]).max()
        worst = np.max([worst, difference])
        print(f"{name:24} {array.dtype!s:8} {array.shape!s:16} {difference:.1e}")
    if not worst <= TOLERANCE:  # NaN is not
        sys.exit(f"Differences should be at most {TOLERANCE}. Received: {worst:.1e}")


if __name__ == "__main__":
    main()
