"""A training checkpoint of bilm-tf itself, and what its `dump_weights` makes of it.

    python3.7 training_checkpoint.py tests/fixtures/bilm_tf

trains a tiny model for one step with bilm-tf and TensorFlow 1.15. It writes what
bilm-tf does, `options.json`, `checkpoint` and `model.ckpt-*`; beside these
`vocabulary.txt`, and `weights.hdf5` by its `dump_weights`. `test_bilm_tf.py` reads
both.
"""

import os
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from bilm.data import BidirectionalLMDataset
from bilm.training import dump_weights, load_vocab, train

WORDS = ["<S>", "</S>", "<UNK>", "the", "cat", "sat", "on", "mat"]
OPTIONS = {
    "bidirectional": True,
    "dropout": 0.1,
    "all_clip_norm_val": 10.0,
    "n_epochs": 1,
    "batch_size": 2,
    "n_train_tokens": 12,
    "n_tokens_vocab": len(WORDS),
    "unroll_steps": 5,
    "n_negative_samples_batch": 4,
    "char_cnn": {
        "activation": "relu",
        "embedding": {"dim": 4},
        "filters": [[1, 4], [2, 4]],
        "max_characters_per_token": 50,
        "n_characters": 261,
        "n_highway": 1,
    },
    "lstm": {
        "cell_clip": 3,
        "dim": 8,
        "n_layers": 2,
        "proj_clip": 3,
        "projection_dim": 4,
        "use_skip_connections": True,
    },
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    vocabulary = os.path.join(folder, "vocabulary.txt")
    with open(vocabulary, "w") as file:
        file.write("\n".join(WORDS) + "\n")
    rng = np.random.RandomState(0)
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "text.txt"), "w") as file:
            for _ in range(50):
                file.write(" ".join(rng.choice(WORDS[2:], 6)) + "\n")
        data = BidirectionalLMDataset(
            os.path.join(work, "text.txt"), load_vocab(vocabulary, 50)
        )
        train(OPTIONS, data, 1, folder, work)
    tf.reset_default_graph()
    dump_weights(folder, os.path.join(folder, "weights.hdf5"))
    with open(os.path.join(folder, "checkpoint"), "w") as file:
        file.write('model_checkpoint_path: "model.ckpt-1"\n')
    for name in os.listdir(folder):
        if name.endswith(".meta") or "ckpt-0" in name:
            os.remove(os.path.join(folder, name))


if __name__ == "__main__":
    main(sys.argv[1])
