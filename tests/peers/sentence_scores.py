"""The log-probabilities that bilm-tf itself gives to the words of sentences.

    python3.7 sentence_scores.py tests/fixtures/bilm_tf

reads the training checkpoint that is there with bilm-tf and TensorFlow 1.15, each
sentence by itself, and writes `scores.json`, which `test_sentence_scorer.py` reads.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from bilm.training import LanguageModel, _get_feed_dict_from_X, load_vocab

SENTENCES = [["the", "cat", "sat", "on", "the", "mat"], ["the", "dog", "sat"], ["mat"]]


def main(folder):
    with open(os.path.join(folder, "options.json")) as file:
        options = json.load(file)
    options["char_cnn"]["n_characters"] = 261
    # Batches have one token, so that the mean loss is that of one.
    options.update(batch_size=1, unroll_steps=1)
    vocabulary = load_vocab(os.path.join(folder, "vocabulary.txt"), 50)
    with tf.variable_scope("lm"):
        model = LanguageModel(options, False)
    scores = []
    with tf.Session() as session:
        restored = [v for v in tf.global_variables() if "global_step" not in v.name]
        checkpoint = os.path.join(folder, "model.ckpt-1")
        tf.train.Saver(restored).restore(session, checkpoint)
        for sentence in SENTENCES:
            forward, backward = read(session, model, vocabulary, sentence)
            scores.append(
                {"tokens": sentence, "forward": forward, "backward": backward}
            )
    with open(os.path.join(folder, "scores.json"), "w") as file:
        json.dump(scores, file, indent=1)
        file.write("\n")


def read(session, model, vocabulary, sentence):
    """What each direction gives to the tokens that it predicts, in its order."""
    tokens = ["<S>"] + sentence + ["</S>"]
    ids = vocabulary.encode(sentence, split=False)
    characters = vocabulary.encode_chars(sentence, split=False)
    initial, final = model.init_lstm_state, model.final_lstm_state
    states = [np.zeros(state.shape.as_list()) for state in tf.nest.flatten(initial)]
    scores = []
    for step in range(len(tokens) - 1):
        batch = {
            "tokens_characters": characters[None, step : step + 1],
            "next_token_id": ids[None, step + 1 : step + 2],
            "tokens_characters_reverse": characters[None, ::-1][:, step : step + 1],
            "next_token_id_reverse": ids[None, ::-1][:, step + 1 : step + 2],
        }
        feed = _get_feed_dict_from_X(batch, 0, 1, model, True, True)
        for index, state in enumerate(tf.nest.flatten(initial)):
            feed[state] = states[index]
        losses, states = session.run([model.individual_losses, final], feed)
        states = tf.nest.flatten(states)
        scores.append([-float(loss) for loss in losses])
    return np.transpose(scores).tolist()


if __name__ == "__main__":
    main(sys.argv[1])
