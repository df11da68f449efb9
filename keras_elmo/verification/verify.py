import dataclasses

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.verification.checks import Check, run_self_checks
from keras_elmo.verification.published_values import (
    check_published_values,
    has_published_values,
)
from keras_elmo.weights.stored_model import StoredModel


@dataclasses.dataclass(frozen=True)
class Verification:
    """What came of it.

    Args:
        checks: Each check, as the weights are stored.
        passed: Whether none of them failed.
        advice: What a failure means and what to do, or what was not checked.
    """

    checks: list[Check]
    passed: bool
    advice: str


def verify(stored: StoredModel, name: str | None = None) -> Verification:
    """Compares a model with what was printed of it, or looks whether it is sane.

    Where printed values do not fit, the other setting of sentence boundaries is tried:
    if they fit then, the weights are right and the setting is not.

    Args:
        stored: The weights, see `keras_elmo.weights.open_weights.open_weights`.
        name: That of a published model, such as `"google/elmo/2"`, see
            `keras_elmo.presets`. Defaults to None.

    Returns:
        A `Verification`.
    """
    elmo = ElmoEmbedding.from_stored_model(stored)
    if name is None or not has_published_values(name):
        checks = list(run_self_checks(elmo))
        advice = (
            "Nothing was printed of this model to compare with: these were checks of "
            "itself. If it is a published one, say which (--as)."
        )
        return Verification(checks, _passed(checks), advice)
    checks = list(check_published_values(name, elmo))
    if _passed(checks):
        return Verification(checks, True, f"These are the weights of {name}.")
    other = not elmo.sentence_boundaries
    second = ElmoEmbedding.from_stored_model(stored, sentence_boundaries=other)
    if _passed(list(check_published_values(name, second))):
        advice = (
            f"With sentence_boundaries={other} all of it fits: the weights are those "
            f"of {name}, the setting of boundaries is not. Load them with "
            f"sentence_boundaries={other}."
        )
    else:
        advice = (
            "Neither with nor without sentence boundaries does it fit: the weights are "
            f"not those of {name}, or options such as skip connections and clips are "
            "not. `keras-elmo info` tells what they are taken for."
        )
    return Verification(checks, False, advice)


def _passed(checks: list[Check]) -> bool:
    return all(check.passed is not False for check in checks)
