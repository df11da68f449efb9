"""Where the time of a direct call goes: its parts, each measured alone."""

import statistics
import time

import tensorflow as tf

from keras_elmo.char_ids import gather_tokens, length_mask


def time_of_parts(elmo, sentences, rounds):
    """Seconds of the parts of `elmo(sentences)`, which add up to the whole.

    The layers are called in `tf.function`s. The input products are measured as the
    plain matrix products that they are, and taken off the biLSTM's time; what is left
    of the call after all parts (gathers, the mix, masks) is `"the rest"`.

    Args:
        elmo: An `ElmoEmbedding`.
        sentences: Lists of tokens.
        rounds: Number of measurements, whose median counts.
    """
    bilm = elmo.bilm
    sentences = [" ".join(tokens) for tokens in sentences]
    encoded = elmo.preprocessor(sentences)
    mask = length_mask(encoded)
    word_emb = gather_tokens(bilm.char_cnn(encoded["char_ids"]), encoded)
    positions = tf.boolean_mask(word_emb, mask)
    kernels = [
        tf.random.normal([bilm.projection_dim, 4 * bilm.units])
        for _ in range(2 * bilm.num_layers)
    ]

    @tf.function
    def token_encoder():
        return bilm.char_cnn(encoded["char_ids"])

    @tf.function
    def input_products():
        # They depend on each other, because they would run side by side otherwise.
        total = 0.0
        for kernel in kernels:
            total = tf.matmul(positions + 0.0 * total, kernel)[:1, :1]
        return total

    @tf.function
    def bilstm():
        return bilm.bilstm(word_emb, mask=mask)

    parts = {
        "text": lambda: elmo.preprocessor(sentences),
        "token encoder": token_encoder,
        "input products": input_products,
        "bilstm": bilstm,
        "whole": lambda: elmo(sentences),
    }
    seconds = {name: [] for name in parts}
    for number in range(rounds + 1):
        for name, part in parts.items():
            start = time.perf_counter()
            part()
            if number:  # the first call traces
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    whole, read = medians.pop("whole"), medians.pop("bilstm")
    medians["recurrence"] = read - medians["input products"]
    medians["the rest"] = whole - sum(medians.values())
    return medians
