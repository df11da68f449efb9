"""Training and scoring scikit-learn's classifiers on the vectors of a layer."""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np


def linear_classifier() -> Any:
    """Logistic regression on features that are scaled to a variance of one."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # A smaller tolerance takes far longer and leaves the accuracies as they are.
    regression = LogisticRegression(C=0.1, tol=1e-3, max_iter=1000)
    return make_pipeline(StandardScaler(), regression)


def tuned_classifier(folds: int, seed: int = 1) -> Any:
    """As `linear_classifier`, with the regularization that cross-validation chooses.

    Where features are few and much alike, how strong it is decides.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    # With weak regularization, a larger tolerance would stop long before the end.
    classifier = linear_classifier().set_params(logisticregression__tol=1e-4)
    choices = {"logisticregression__C": np.logspace(-4, 4, 10)}
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return GridSearchCV(classifier, choices, cv=split)


def cross_validate(
    classifier: Any, vectors: np.ndarray, labels: np.ndarray, folds: int, seed: int
) -> float:
    """Mean accuracy on each part of the data, after training on the other parts.

    Args:
        classifier: A classifier of scikit-learn.
        vectors: `(examples, width)`.
        labels: `(examples,)`.
        folds: Number of parts. Each has about the same share of every label.
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
    """Accuracy on `test` after training on `train`, each vectors and their labels."""
    with _one_thread():
        return float(classifier.fit(*train).score(*test))


def _one_thread() -> AbstractContextManager:
    """Limits NumPy to one thread, since several wait for each other on small data."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
