"""Do AllenNLP and bilm-tf compute what this package does, from the weights it writes?

    python exported_weights.py run/preset --bilm python3.7 --allennlp python

writes a preset, or weights of any other format, as `options.json` and `weights.hdf5`,
has each peer's Python embed the same sentences with them, and compares every layer.
`--bilm` should have bilm-tf with TensorFlow 1.15, `--allennlp` simple-elmo-pytorch
(AllenNLP's Elmo). Differences above 1e-5 are an error.

The weights are also written as a checkpoint with TF-Hub's names; TensorFlow 1.15
restores it into variables of its own, which have to be those of `weights.hdf5` bit for
bit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = 1e-5
SENTENCES = [
    "She sat on the bank of the river , and the water was cold .",
    "naïve café 日本語 😀 pneumonoultramicroscopicsilicovolcanoconiosis_and_then_on",
    "Yes .",
]


def write(folder, source):
    """Writes the weights, and embeds with the preset itself."""
    from keras_elmo import ElmoEmbedding

    elmo = ElmoEmbedding.from_preset(source.split(","))
    elmo.to_hdf5(*files(folder))
    elmo.to_tfhub(os.path.join(folder, "hub"))
    outputs = elmo(SENTENCES)
    layers = [outputs["word_emb"], outputs["lstm_outputs1"], outputs["lstm_outputs2"]]
    return [layer.numpy() for layer in layers]


def bilm_tf(folder):
    import tensorflow as tf
    from bilm import Batcher, BidirectionalLanguageModel

    tokens = [sentence.split() for sentence in SENTENCES]
    vocabulary = os.path.join(folder, "vocabulary.txt")
    with open(vocabulary, "w", encoding="utf-8") as file:
        words = sorted({token for sentence in tokens for token in sentence})
        file.write("\n".join(["<S>", "</S>", "<UNK>", *words]))
    ids = tf.placeholder("int32", shape=(None, None, 50))
    embeddings = BidirectionalLanguageModel(*files(folder))(ids)["lm_embeddings"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        batch = Batcher(vocabulary, 50).batch_sentences(tokens)
        layers = session.run(embeddings, {ids: batch}).swapaxes(0, 1)
    restore_checkpoint(folder)
    return [layers[0][..., : layers.shape[-1] // 2], *layers[1:]]


def restore_checkpoint(folder):
    import h5py
    import tensorflow as tf

    prefix = os.path.join(folder, "hub", "variables", "variables")
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            name: tf.get_variable(name, shape)
            for name, shape in tf.train.list_variables(prefix)
        }
        tf.train.Saver(variables).restore(session, prefix)
        restored = session.run(variables)
    with h5py.File(files(folder)[1], "r") as file:

        def compare(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            for theirs, ours in (
                ("LSTMCell/W_0", "rnn/lstm_cell/kernel"),
                ("LSTMCell/B", "rnn/lstm_cell/bias"),
                ("LSTMCell/W_P_0", "rnn/lstm_cell/projection/kernel"),
            ):
                name = name.replace(theirs, ours)
            array = restored.pop("bilm/" + name)
            rows = array[1:] if name == "char_embed" else array
            np.testing.assert_array_equal(rows, item[()], err_msg=name)

        file.visititems(compare)
    left = sorted(restored)
    if left != ["aggregation/scaling", "aggregation/weights"]:
        sys.exit(f"The checkpoint should hold the mix and no more. Received: {left}")


def allennlp(folder):
    import torch
    from simple_elmo_pytorch.models.elmo import Elmo, batch_to_ids

    ids = batch_to_ids([sentence.split() for sentence in SENTENCES])
    layers = []
    for chosen in range(3):
        # A mix of one layer alone, with a fresh state for each.
        mix = [1e4 if index == chosen else -1e4 for index in range(3)]
        model = Elmo(*files(folder), 1, dropout=0.0, scalar_mix_parameters=mix)
        with torch.no_grad():
            layers.append(model.eval()(ids)["elmo_representations"][0].numpy())
    return [layers[0][..., : layers[0].shape[-1] // 2], *layers[1:]]


PEERS = {"bilm": bilm_tf, "allennlp": allennlp}


def files(folder):
    return [os.path.join(folder, name) for name in ("options.json", "weights.hdf5")]


def compare(ours, theirs):
    """The largest difference of each layer, over the tokens of all sentences."""
    lengths = [len(sentence.split()) for sentence in SENTENCES]
    return [
        np.max(
            [
                np.abs(our[row, :length] - their[row, :length]).max()
                for row, length in enumerate(lengths)
            ]
        )
        for our, their in zip(ours, theirs)  # noqa: B905, Python 3.7
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="two files: OPTIONS,WEIGHTS")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", metavar="PYTHON")
    parser.add_argument("--only", choices=list(PEERS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:  # in the peer's own Python; the source is the folder then
        layers = PEERS[args.only](args.source)
        np.savez(os.path.join(args.source, args.only), *layers)
        return
    if not any(getattr(args, peer) for peer in PEERS):
        parser.error("one of the peers' Pythons is needed")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        ours = write(folder, args.source)
        for peer in PEERS:
            python = getattr(args, peer)
            if python is None:
                continue
            command = [python, __file__, folder, "--only", peer]
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
            environment.pop("TF2_BEHAVIOR", None)  # by which TensorFlow 2 marks it
            subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
            with np.load(os.path.join(folder, f"{peer}.npz")) as arrays:
                differences = compare(ours, [arrays[name] for name in arrays.files])
            print(json.dumps({peer: [f"{value:.1e}" for value in differences]}))
            worst = np.max([worst, *differences])
    if not worst <= TOLERANCE:  # NaN is not
        sys.exit(f"Differences should be at most {TOLERANCE}. Received: {worst:.1e}")


if __name__ == "__main__":
    main()
