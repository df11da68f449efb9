"""What a check finds, and the checks of a model of which nothing was printed."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding

SENTENCES = [
    "The cat sat on the mat .",
    "Prices rose 3.7 % in May , officials said .",
    "мама мыла раму",
    "東京 は 大きい 😀",
    "a " * 40 + "very long sentence .",
    "Yes",
]
_TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Check:
    """The result of one check of a model.

    Args:
        name: What was checked.
        passed: Whether it should be so. None if it is told for information alone.
        detail: What was found.
    """

    name: str
    passed: bool | None
    detail: str


def run_self_checks(elmo: ElmoEmbedding) -> Iterator[Check]:
    """What should hold of any ELMo, and figures by which to know a strange one."""
    together = elmo(SENTENCES)
    keys = [key for key in together if key not in ("elmo", "default")]
    finite = all(np.isfinite(value).all() for value in together.values())
    yield Check("finite outputs", finite, "all" if finite else "NaN or infinity")
    yield _batch_invariance(elmo, together)
    yield _boundaries(elmo)
    for key in keys:
        norm = np.linalg.norm(np.concatenate(_tokens(elmo, together[key])), axis=-1)
        yield Check(f"mean norm of {key}", None, f"{norm.mean():.2f}")
    yield from _clips(elmo)


def _tokens(elmo: ElmoEmbedding, sequence: Any) -> list[np.ndarray]:
    """The vectors of each sentence's tokens."""
    lengths = [len(sentence.split()) for sentence in SENTENCES]
    return [np.asarray(row)[:n] for row, n in zip(sequence, lengths, strict=True)]


def _batch_invariance(elmo: ElmoEmbedding, together: dict[str, Any]) -> Check:
    expected = _tokens(elmo, together["elmo"])
    difference = max(
        np.abs(elmo([sentence])["elmo"][0].numpy() - row).max()
        for sentence, row in zip(SENTENCES, expected, strict=True)
    )
    passed = bool(difference <= _TOLERANCE)
    return Check("alone as in a batch", passed, f"off by {difference:.1e}")


def _boundaries(elmo: ElmoEmbedding) -> Check:
    """How much <S> and </S> matter: most to their neighbours, as they should."""
    config = {**elmo.get_config(), "sentence_boundaries": not elmo.sentence_boundaries}
    config.update(
        name=f"{elmo.name}_other",
        bilm=elmo.bilm,
        cached_words=None,
        token_vocabulary=elmo.token_vocabulary,
    )
    other = type(elmo)(**config)
    other.mix.set_weights(elmo.mix.get_weights())
    long = SENTENCES[4]
    change = np.abs(other([long])["elmo"] - elmo([long])["elmo"])[0].mean(axis=-1)
    detail = (
        f"with and without, a long sentence's first and last tokens change by "
        f"{(change[0] + change[-1]) / 2:.3f}, its middle by {np.median(change):.3f}"
    )
    return Check("<S> and </S>", None, detail)


def _clips(elmo: ElmoEmbedding) -> Iterator[Check]:
    bilm = elmo.bilm
    if bilm.cell_clip is None:
        return
    _, state = bilm.copy(return_state=True)(elmo.preprocessor(SENTENCES))
    for layer in range(bilm.num_layers):
        memories = np.abs(np.concatenate([state[4 * layer + 1], state[4 * layer + 3]]))
        share = (memories >= bilm.cell_clip).mean()
        name = f"memories at the clip in layer {layer + 1}"
        yield Check(name, None, f"{share:.2%} at the ends of sentences")
