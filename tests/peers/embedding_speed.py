"""The worker of `tests/benchmarks/speed`: embeds in a peer's own Python, on command.

    python3.7 embedding_speed.py bilm options.json weights.hdf5 sentences.txt
    python embedding_speed.py allennlp options.json weights.hdf5 sentences.txt

The first should have bilm-tf with TensorFlow 1.15, the second simple-elmo-pytorch
(AllenNLP's Elmo). bilm-tf prepares the words of `sentences.txt` beforehand.

It prints a line `{"version": ...}` when the model is loaded. Then it reads a command a
line, `{"sentences": [["the", "cat"], ...], "batch": 32}`, and answers each with the
seconds of embedding these, strings in, the mix out: `{"seconds": 1.5}`. With
`"outputs": "file.npz"` in the command, the mix of each sentence is saved there. Both
peers carry their state from batch to batch; only the first is embedded from zeros.
"""

import json
import os
import sys
import tempfile
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

CHARACTERS = 50
LARGEST_BATCH = 128


def bilm_tf(options, weights, sentences):
    """The version of TensorFlow, and a function from lists of tokens to the mix."""
    import tensorflow as tf
    from bilm import Batcher, BidirectionalLanguageModel, weight_layers

    with open(sentences, encoding="utf-8") as file:
        words = sorted(set(file.read().split()))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as vocabulary:
        vocabulary.write("\n".join(["<S>", "</S>", "<UNK>", *words]))
        vocabulary.flush()
        batcher = Batcher(vocabulary.name, CHARACTERS)
    ids = tf.placeholder("int32", shape=(None, None, CHARACTERS))
    bilm = BidirectionalLanguageModel(options, weights, max_batch_size=LARGEST_BATCH)
    mix = weight_layers("mix", bilm(ids), l2_coef=0.0)["weighted_op"]
    session = tf.Session()
    session.run(tf.global_variables_initializer())

    def embed(batch):
        return session.run(mix, {ids: batcher.batch_sentences(batch)})

    return "TensorFlow " + tf.__version__, embed


def allennlp(options, weights, sentences):
    """The same with PyTorch, which needs no words beforehand."""
    import torch
    from simple_elmo_pytorch.models.elmo import Elmo, batch_to_ids

    model = Elmo(options, weights, 1, dropout=0.0).eval()

    def embed(batch):
        with torch.no_grad():
            return model(batch_to_ids(batch))["elmo_representations"][0].numpy()

    return "PyTorch " + torch.__version__, embed


PEERS = {"bilm": bilm_tf, "allennlp": allennlp}


def run(embed, sentences, batch, outputs=None):
    batches = [sentences[i : i + batch] for i in range(0, len(sentences), batch)]
    start = time.perf_counter()
    embedded = [embed(part) for part in batches]
    seconds = time.perf_counter() - start
    if outputs is not None:
        rows = [row for part in embedded for row in part]
        lengths = map(len, sentences)
        np.savez(outputs, *[row[:n] for row, n in zip(rows, lengths)])  # noqa: B905
    return {"seconds": seconds}


def main(peer, *files):
    # What the libraries print would be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    version, embed = PEERS[peer](*files)
    print(json.dumps({"version": version}), file=answers, flush=True)
    for line in sys.stdin:
        answer = run(embed, **json.loads(line))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
