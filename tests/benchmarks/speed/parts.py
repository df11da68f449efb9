"""Where the time of a direct call goes: its parts, each measured alone."""

import statistics
import time

import tensorflow as tf

from keras_elmo.char_ids import gather_tokens, length_mask


def time_of_parts(elmo, sentences, rounds):
    """Seconds of the parts of a direct call, which add up to the whole.

    The input products are measured as the plain matrix products of all real positions
    that they are, and taken off the biLSTM's time. What the call takes beyond its parts
    (the mix, masks, and what calling costs) is `"the rest"`.

    Args:
        elmo: An `ElmoEmbedding`.
        sentences: Lists of tokens.
        rounds: Number of measurements, whose median counts.
    """
    bilm = elmo.bilm
    strings = [" ".join(tokens) for tokens in sentences]
    encoded = elmo.preprocessor(strings)
    mask = length_mask(encoded)
    encode = tf.function(bilm.char_cnn)
    gather = tf.function(gather_tokens)
    read = tf.function(bilm.bilstm)
    vectors = encode(encoded["char_ids"])
    word_emb = gather(vectors, encoded)
    positions = tf.boolean_mask(word_emb, mask)
    shape = bilm.projection_dim, 4 * bilm.units
    kernels = [tf.random.normal(shape) for _ in range(2 * bilm.num_layers)]
    functions = {
        "text": lambda: elmo.preprocessor(strings),
        "token encoder": lambda: encode(encoded["char_ids"]),
        "gathers of tokens": lambda: gather(vectors, encoded),
        "input products": lambda: [tf.matmul(positions, kernel) for kernel in kernels],
        "bilstm": lambda: read(word_emb, mask=mask),
        "whole": lambda: elmo(strings),
    }
    for function in functions.values():
        function()  # traces
    seconds = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    parts = {name: statistics.median(values) for name, values in seconds.items()}
    parts["recurrence"] = parts.pop("bilstm") - parts["input products"]
    whole = parts.pop("whole")
    return {**parts, "the rest": whole - sum(parts.values())}
