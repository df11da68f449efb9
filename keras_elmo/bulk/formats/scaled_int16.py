"""Vectors as integers of 16 bits, each vector with a scale of its own.

They take as many bytes as float16, and 4 more for a vector. Each number is off by at
most 1 / 65,000 of the largest of its vector (half a step, and some rounding), where in
float16 it is off by at most 1 / 2,048 of itself.
"""

import numpy as np

_LARGEST = np.iinfo("int16").max


def stored_dtype(dim: int) -> np.dtype:
    """A vector in a file, which is its `numbers`, each times its `scale`."""
    return np.dtype([("scale", "<f4"), ("numbers", "<i2", (dim,))])


def to_stored(vectors: np.ndarray) -> np.ndarray:
    """The vectors `(..., dim)`, of float32, as an array `(...)` of `stored_dtype`.

    Raises:
        FloatingPointError: if a number is not finite.

    Example:

    >>> stored = to_stored(np.array([[1.0, -0.25], [0.0, 0.0]], "float32"))
    >>> stored["numbers"].tolist()
    [[32767, -8192], [0, 0]]
    """
    largest = np.abs(vectors).max(axis=-1, initial=0)
    if not np.isfinite(largest).all():
        raise FloatingPointError(
            "Vectors should be finite. Received: some that are not"
        )
    # It is rounded down, or the largest number of float32 would be read as infinite.
    scale = np.nextafter(largest / np.float32(_LARGEST), np.float32(0))
    # A smaller scale would itself have lost digits; such vectors become zero.
    is_zero = scale < np.finfo("float32").tiny
    divided = vectors / np.where(is_zero, np.float32(np.inf), scale)[..., None]
    stored = np.empty(vectors.shape[:-1], stored_dtype(vectors.shape[-1]))
    stored["scale"] = np.where(is_zero, np.float32(0), scale)
    stored["numbers"] = np.rint(divided, out=divided)
    return stored


def from_stored(stored: np.ndarray) -> np.ndarray:
    """The vectors `(..., dim)`, of float32."""
    return stored["numbers"] * stored["scale"][..., None]
