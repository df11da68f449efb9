"""What comes out of an `ElmoEmbedding`, besides the layers themselves."""

import keras
from keras import ops

# Before this release, `keras.layers.Concatenate` fails on the mask of a sequence whose
# sizes are known only when it runs.
_JOINS_MASKS = tuple(int(part) for part in keras.version().split(".")[:2]) >= (3, 12)


def output_keys(num_layers):
    """The names of the outputs, in their order, for so many biLSTM layers."""
    lstm_outputs = [f"lstm_outputs{index + 1}" for index in range(num_layers)]
    return ("word_emb", *lstm_outputs, "elmo", "default")


def all_outputs(layers, mask, mix, dropout):
    """What is made of the layers of a biLM, all outputs in their order.

    Args:
        layers: The list of them, each `(batch, time, ...)`.
        mask: `(batch, time)`, True where there is a token.
        mix: A `ScalarMix`.
        dropout: Function to apply to what it returns.
    """
    word_emb, *lstm_outputs = layers
    doubled = ops.concatenate([word_emb, word_emb], axis=-1)
    elmo = dropout(mix([doubled, *lstm_outputs], mask=mask))
    return [*layers, elmo, mean_over_tokens(elmo, mask)]


def mean_over_tokens(elmo, mask):
    """The mean of `elmo` `(batch, time, dim)` over the tokens of each row, or 0."""
    # Half precision can't add up a long row, so this is done in float32.
    elmo_of_tokens = ops.where(mask[..., None], ops.cast(elmo, "float32"), 0)
    total = ops.sum(elmo_of_tokens, axis=1)
    count = ops.maximum(ops.sum(ops.cast(mask, "float32"), axis=1), 1)
    return ops.cast(total / count[:, None], elmo.dtype)  # (batch, dim)


def fill_up(sequence, max_length):
    """`(batch, time, ...)` as `(batch, max_length, ...)`, 0 where it has been shorter.

    Args:
        sequence: A mask is filled up with False.
        max_length: None for the length that it has.
    """
    if max_length is None:
        return sequence
    missing = max_length - ops.shape(sequence)[1]
    inner = sequence.shape[2:]
    sequence = ops.pad(sequence, [(0, 0), (0, missing), *([(0, 0)] * len(inner))])
    # The length may be known beforehand, which padding forgets.
    return ops.reshape(sequence, (-1, max_length, *inner))


def masked_if_symbolic(outputs):
    """The outputs of a layer, where they are symbolic with the mask of the tokens.

    Tensors carry their masks. But where a functional model joins them with others,
    say with those of `keras.layers.Embedding`, Keras records the mask beforehand, and
    takes what has none for tokens throughout. Keras before 3.12 can't join masks that
    are recorded, so there the outputs are left as they are.

    Args:
        outputs: A sequence `(batch, time, dim)` or a vector, or a dictionary of the
            outputs in which `"word_emb"` is.
    """
    values = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    sequences = [
        value
        for value in values
        if isinstance(value, keras.KerasTensor) and len(value.shape) == 3
    ]
    if sequences and _JOINS_MASKS:
        # Padding is exactly 0; the first, `word_emb`, knows of no dropout.
        mask = ops.any(ops.not_equal(sequences[0], 0), axis=-1)
        for sequence in sequences:
            sequence._keras_mask = mask
    return outputs
