"""The classifiers that are put on top of the layers, by scikit-learn."""

from typing import Any

import numpy as np


def linear_classifier() -> Any:
    """Logistic regression, of features that have the same scale."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # A tolerance that no accuracy shows, reached in seconds.
    regression = LogisticRegression(C=0.1, tol=1e-3, max_iter=1000)
    return make_pipeline(StandardScaler(), regression)


def cross_validate(
    classifier: Any, vectors: np.ndarray, labels: np.ndarray, folds: int, seed: int
) -> float:
    """Mean accuracy on parts of the data that the classifier was not trained on.

    Args:
        classifier: As of scikit-learn.
        vectors: `(examples, width)`.
        labels: `(examples,)`.
        folds: Number of parts, which have the same share of each label.
        seed: Seed of the parts.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with _one_thread():
        return float(cross_val_score(classifier, vectors, labels, cv=split).mean())


def fit_and_score(
    classifier: Any,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> float:
    """Accuracy on `test`; both are vectors and labels."""
    with _one_thread():
        return float(classifier.fit(*train).score(*test))


def _one_thread():
    """Several would only wait for each other, the longer the busier the machine is."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
