"""What comes out of an `ElmoEmbedding`, besides the layers themselves."""

from keras import ops


def output_keys(num_layers):
    """The names of the outputs, in their order, for so many biLSTM layers."""
    lstm_outputs = [f"lstm_outputs{index + 1}" for index in range(num_layers)]
    return ("word_emb", *lstm_outputs, "elmo", "default")


def mean_over_tokens(elmo, mask):
    """The mean of `elmo` `(batch, time, dim)` over the tokens of each row, or 0."""
    # Half precision can't add up a long row, so this is done in float32.
    total = ops.sum(ops.cast(elmo, "float32"), axis=1)
    count = ops.maximum(ops.sum(ops.cast(mask, "float32"), axis=1), 1)
    return ops.cast(total / count[:, None], elmo.dtype)  # (batch, dim)
