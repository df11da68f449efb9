"""Values that others printed of the published models.

Notebooks, issues and documentation of their users have them, with as many digits.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.verification.checks import Check

# Other programs add up in another order; a wrong layer or boundary is off by 0.1.
TOLERANCE = 3e-4


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """How the `elmo` of a token begins and ends.

    Args:
        sentence: Its tokens, separated by spaces.
        position: That of the token.
        start: The first values.
        end: The last values.
        is_certain: Whether the sentence is known for sure. If not, a difference is no
            failure.
    """

    sentence: str
    position: int
    start: tuple[float, ...]
    end: tuple[float, ...] = ()
    is_certain: bool = True

    def difference(self, elmo: ElmoEmbedding) -> float:
        """The largest one, NaN included."""
        row = elmo([self.sentence])["elmo"][0, self.position].numpy()
        found = np.concatenate(
            [row[: len(self.start)], row[len(row) - len(self.end) :]]
        )
        return float(np.abs(found - np.array(self.start + self.end)).max())


_ARCH = (
    "She sat on the river bank across from a series of wide, large steps leading up a "
    "hill to the park where the Arch stood, framed against a black sky."
)
_MILLION = "How could a man with four million in the bank be in financial danger?"
_APPLE = "the cat ate apple"
_RAMA = "мама мыла раму"

PUBLISHED_ROWS = {
    "google/elmo/2": (
        PublishedRow(
            _ARCH,
            5,
            (-0.2590018, 0.29891643, -0.10697073),
            (0.10171058, 0.8235103, -0.07563843),
        ),
        PublishedRow(
            _APPLE,
            0,
            (0.30815446, 0.266304, 0.23561305),
            (-0.5105163, 0.32457852, -0.16020967),
        ),
        PublishedRow(
            _APPLE,
            1,
            (0.5142876, -0.13532336, 0.11090391),
            (-0.1335834, 0.06437437, 0.9357102),
        ),
        PublishedRow(
            _APPLE,
            2,
            (-0.24695906, 0.34006292, 0.22726282),
            (0.38001215, 0.4503531, 0.6617443),
        ),
        PublishedRow(
            _APPLE,
            3,
            (0.8029585, -0.22430336, 0.28576007),
            (0.14826387, 0.46911317, 0.6117439),
        ),
        PublishedRow(
            "apple",
            0,
            (0.75570786, -0.2999097, 0.7435455),
            (0.14826366, 0.46911308, 0.61174375),
        ),
        PublishedRow(
            _MILLION,
            9,
            (-0.731495, 0.23777029, -0.11657586),
            (0.09174436, 1.0873696, 0.13204172),
            is_certain=False,
        ),
    ),
    "deeppavlov/ru-news": (
        PublishedRow(_RAMA, 0, (0.6040001, -0.16130011, 0.56478846)),
        PublishedRow(_RAMA, 1, (0.01834148, 0.17055789, 0.5311495)),
        PublishedRow(_RAMA, 2, (0.3242596, 0.17909613, 0.01657108)),
    ),
}

# The distance is that of the top layer's vectors at position 3, one read after the
# other.
COSINE_SENTENCES = ("I ate an apple for breakfast", "I ate carrot for breakfact")
PUBLISHED_DISTANCES = {"allennlp/original": 0.6675608456134796}


def has_published_values(name: str) -> bool:
    """Whether anything was printed of the model of this name."""
    return name in PUBLISHED_ROWS or name in PUBLISHED_DISTANCES


def check_published_values(name: str, elmo: ElmoEmbedding) -> Iterator[Check]:
    """Computes what was printed of the model `name`, and compares."""
    for row in PUBLISHED_ROWS.get(name, ()):
        yield _compared(
            f"elmo of {row.sentence.split()[row.position]!r} in {row.sentence[:40]!r}",
            row.difference(elmo),
            row.is_certain,
        )
    if name in PUBLISHED_DISTANCES:
        yield _compared(
            "cosine distance of two top vectors, state carried",
            abs(cosine_distance(elmo) - PUBLISHED_DISTANCES[name]),
        )


def cosine_distance(elmo: ElmoEmbedding) -> float:
    """Between the top vectors at position 3 of both sentences."""
    first, second = (layers[-1] for layers in carried_vectors(elmo, 3))
    product = np.linalg.norm(first) * np.linalg.norm(second)
    return float(1 - first @ second / product)


def carried_vectors(elmo: ElmoEmbedding, position: int) -> list[list[np.ndarray]]:
    """Every layer at `position` of each sentence, read on from the one before it."""
    bilm, state, vectors = elmo.bilm.copy(return_state=True), None, []
    for sentence in COSINE_SENTENCES:
        layers, state = bilm(elmo.preprocessor([sentence]), initial_state=state)
        place = position + int(elmo.sentence_boundaries)
        vectors.append([np.asarray(layer)[0, place] for layer in layers])
    return vectors


def _compared(name: str, difference: float, is_certain: bool = True) -> Check:
    passed = bool(difference <= TOLERANCE)  # NaN is not
    return Check(name, passed if is_certain else None, f"off by {difference:.1e}")
