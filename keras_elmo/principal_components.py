import numpy as np

_ROUNDING = 1e-6


def principal_components(vectors: np.ndarray) -> np.ndarray:
    """Vectors seen along the two directions of most variance.

    Args:
        vectors: `(n, dim)`, finite.

    Returns:
        float32 `(n, 2)`, of a mean of 0.

    Raises:
        ValueError: if there are no vectors, or one is not finite.

    Example:

    >>> points = principal_components(np.array([[1.0, 1.0], [3.0, 3.0]]))
    >>> [f"{x:.2f}" for x in points[:, 0]]
    ['-1.41', '1.41']
    """
    vectors = np.asarray(vectors, "float32")
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ValueError(
            "`vectors` should be (n, dim), one at least and all of them finite. "
            f"Received: shape {vectors.shape}, or NaN or infinity. Leave such out"
        )
    centered = vectors - vectors.mean(axis=0)
    left, sizes, right = np.linalg.svd(centered, full_matrices=False)
    # Vectors that differ by rounding are one point, however near one looks.
    sizes[sizes < _ROUNDING * np.linalg.norm(vectors)] = 0
    # The signs of a decomposition are arbitrary, and may differ between machines.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    components = (left * (sizes * signs))[:, :2]
    return np.pad(components, [(0, 0), (0, 2 - components.shape[1])])
