"""ELMo's steps in NumPy, written from the paper's equations and bilm-tf's order."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def clip(x, bound):
    return x if bound is None else np.minimum(np.maximum(x, -bound), bound)


def lstm(x, h, c, w, b, p=None, cell_clip=None, projection_clip=None):
    """x (time, input); h (projection,), c (units,); w rows are inputs, then h.

    Returns the outputs (time, projection) and the final c.
    """
    outputs = []
    units = len(c)
    for step in x:
        z = np.concatenate([step, h]) @ w + b
        i, j = z[:units], z[units : 2 * units]
        f, o = z[2 * units : 3 * units], z[3 * units :]
        c = clip(c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j), cell_clip)
        h = sigmoid(o) * np.tanh(c)
        if p is not None:
            h = clip(h @ p, projection_clip)
        outputs.append(h)
    return np.array(outputs), c


def highway(x, w_carry, b_carry, w_transform, b_transform):
    gate = sigmoid(x @ w_carry + b_carry)
    return gate * np.maximum(x @ w_transform + b_transform, 0) + (1 - gate) * x


def char_convolution(char_ids, embeddings, kernel, bias):
    """Maximum of one convolution over all windows of one token's ids."""
    x = embeddings[char_ids]
    width = len(kernel)
    windows = [x[k : k + width] for k in range(len(x) - width + 1)]
    return np.max([np.tensordot(w, kernel, axes=2) + bias for w in windows], axis=0)


def char_ids(token, max_characters=50):
    """The ids of one token (bytes), as bilm-tf's vocabulary makes them, plus 1."""
    special = {b"<S>": [256], b"</S>": [257]}
    content = special.get(token, list(token)[: max_characters - 2])
    ids = [258, *content, 259]
    return [number + 1 for number in ids + [260] * (max_characters - len(ids))]
