"""The models that others have published, and the addresses people's code holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ELMO = (
    "Matthew E. Peters, Mark Neumann, Mohit Iyyer, Matt Gardner, Christopher Clark, "
    "Kenton Lee, Luke Zettlemoyer. Deep contextualized word representations. NAACL "
    "2018. https://arxiv.org/abs/1802.05365"
)
_BILLION_WORDS = "1 Billion Word Benchmark: news of WMT 2011, about 800 M tokens"
_NO_RESTRICTIONS = (
    "not stated; AllenNLP: 'We don't impose any restrictions on our models' "
    "(https://github.com/allenai/allennlp/issues/1462)"
)
_APACHE = "Apache-2.0"
_NOT_STATED = "not stated"
_ARCHIVE = "module.tar.gz"
_BUCKET = "allennlp.s3.amazonaws.com"
_FOLDER = f"https://{_BUCKET}/models/elmo"
# The ways to write an address in AllenNLP's bucket: old code has the path style.
_BUCKET_STYLES = re.compile(
    r"//(allennlp\.s3([.-]us-west-2)?\.amazonaws\.com"
    r"|s3([.-]us-west-2)?\.amazonaws\.com/allennlp)/"
)


@dataclass(frozen=True)
class PublishedModel:
    """A pretrained model that somebody has published.

    Args:
        name: Its name here, such as `"allennlp/small"`.
        files: Address of each of its files, by the file's name on this machine.
        language: Its language, as BCP 47 writes it, such as `"en"`.
        corpus: What it was trained on.
        citation: Whom to cite.
        licence: Its licence, or `"not stated"`.
        other_names: What else people's code calls it: names and addresses.
        size: Bytes of all files, or None where that could not be established.
        parameters: Number of parameters without the softmax, rounded, or None where
            nobody states it.
    """

    name: str
    files: Mapping[str, str] = field(hash=False)
    language: str
    corpus: str
    citation: str
    licence: str
    other_names: tuple[str, ...] = ()
    size: int | None = None
    parameters: int | None = None

    @property
    def all_names(self) -> tuple[str, ...]:
        """All names and addresses of it."""
        return (self.name, *self.files.values(), *self.other_names)


def published_models() -> list[PublishedModel]:
    """The models of others that this package knows.

    Example:

    >>> [model.name for model in published_models()][:2]
    ['allennlp/small', 'allennlp/medium']
    """
    return list(_MODELS)


def find_published(name_or_address: str) -> PublishedModel | None:
    """The published model that a name, or any address known of it, means.

    Either file of a model with two is enough. `http` or `https`, a slash at the end,
    `?tf-hub-format=compressed` and the ways to write an S3 address make no difference.

    Args:
        name_or_address: Such as `"allennlp/small"`, `"https://tfhub.dev/google/elmo/2"`.

    Returns:
        The model, or None if there is none of this name.

    Example:

    >>> find_published("https://tfhub.dev/google/elmo/2").name
    'google/elmo/2'
    """
    return _BY_NAME.get(_canonical(name_or_address))


def _canonical(name: str) -> str:
    name = re.sub(r"^https?://(www\.)?", "//", name.lower())
    name = name.removesuffix("?tf-hub-format=compressed").rstrip("/")
    return _BUCKET_STYLES.sub(f"//{_BUCKET}/", name)


def _in_bucket(name: str, options: str, weights: str, **facts: Any) -> PublishedModel:
    """A model in AllenNLP's bucket: an options file and a weights file."""
    files = {"options.json": options, "weights.hdf5": weights}
    return PublishedModel(
        name, {file: f"{_FOLDER}/{path}" for file, path in files.items()}, **facts
    )


def _by_allennlp(name: str, sizes: str, corpus: str, **facts: Any) -> PublishedModel:
    """One that AllenNLP trained: its files are named by the sizes of the model."""
    return _in_bucket(
        name,
        f"{sizes}/elmo_{sizes}_options.json",
        f"{sizes}/elmo_{sizes}_weights.hdf5",
        language="en",
        corpus=corpus,
        citation=_ELMO,
        licence=_NO_RESTRICTIONS,
        **facts,
    )


def _in_portuguese(
    name: str, options: str, weights: str, **facts: Any
) -> PublishedModel:
    return _in_bucket(
        name,
        f"contributed/pt/{options}",
        f"contributed/pt/{weights}",
        language="pt",
        citation="Pedro Vitor Quinta de Castro, Anderson da Silva Soares, Nádia Félix "
        "Felipe da Silva, Rafael Teixeira Sousa, Ayrton Denner da Silva Amaral "
        f"(Federal University of Goiás), after {_ELMO}",
        licence=_NOT_STATED,
        **facts,
    )


def _by_google(version: int, *other_names: str) -> PublishedModel:
    name = f"google/elmo/{version}"
    return PublishedModel(
        name,
        {_ARCHIVE: f"https://tfhub.dev/{name}?tf-hub-format=compressed"},
        language="en",
        corpus=_BILLION_WORDS,
        citation=_ELMO,
        licence=_NOT_STATED,
        other_names=other_names,
    )


def _by_deeppavlov(name: str, file: str, corpus: str) -> PublishedModel:
    return PublishedModel(
        f"deeppavlov/{name}",
        {_ARCHIVE: f"http://files.deeppavlov.ai/deeppavlov_data/{file}.tar.gz"},
        language="ru",
        corpus=corpus,
        citation=f"DeepPavlov (https://deeppavlov.ai), after {_ELMO}",
        licence=_APACHE,
    )


_MODELS = (
    _by_allennlp(
        "allennlp/small",
        "2x1024_128_2048cnn_1xhighway",
        _BILLION_WORDS,
        parameters=13_600_000,
    ),
    _by_allennlp(
        "allennlp/medium",
        "2x2048_256_2048cnn_1xhighway",
        _BILLION_WORDS,
        parameters=28_000_000,
    ),
    _by_allennlp(
        "allennlp/original",
        "2x4096_512_2048cnn_2xhighway",
        _BILLION_WORDS,
        parameters=93_600_000,
        size=336 + 374_434_792,
    ),
    _by_allennlp(
        "allennlp/original-5.5b",
        "2x4096_512_2048cnn_2xhighway_5.5B",
        "English Wikipedia and news of WMT 2008-2012, 1.9 and 3.6 billion tokens",
        parameters=93_600_000,
    ),
    # AllenNLP's site named this one until 2020, and flair does. It is not known whether
    # pt-wikipedia, which took its place there, is the same model: they have two names.
    _in_portuguese(
        "allennlp/pt",
        "elmo_pt_options.json",
        "elmo_pt_weights.hdf5",
        corpus="Portuguese Wikipedia",
        other_names=(f"{_FOLDER}/contributed/pt/elmo_pt_options.txt",),
    ),
    _in_portuguese(
        "allennlp/pt-wikipedia",
        "wikipedia/options.json",
        "wikipedia/elmo_pt_weights.hdf5",
        corpus="Portuguese Wikipedia",
    ),
    _in_portuguese(
        "allennlp/pt-brwac",
        "brwac/options.json",
        "brwac/elmo_pt_weights_dgx1.hdf5",
        corpus="brWaC, Brazilian web pages",
    ),
    _in_bucket(
        "allennlp/pubmed",
        "contributed/pubmed/elmo_2x4096_512_2048cnn_2xhighway_options.json",
        "contributed/pubmed/elmo_2x4096_512_2048cnn_2xhighway_weights_PubMed_only.hdf5",
        language="en",
        corpus="PubMed",
        citation=f"Matthew Peters, after {_ELMO}",
        licence=_NOT_STATED,
    ),
    _by_google(1),
    _by_google(
        2,
        "https://storage.googleapis.com/tfhub-modules/google/elmo/2.tar.gz",
        "deeppavlov/en-1b",  # whose configuration elmo_en_1billion is this module
    ),
    _by_google(
        3,
        "https://www.kaggle.com/models/google/elmo/TensorFlow1/elmo/3",
        "https://www.kaggle.com/models/google/elmo/frameworks/TensorFlow1/variations/"
        "elmo/versions/3",
    ),
    _by_deeppavlov(
        "ru-news",
        "elmo_ru-news_wmt11-16_1.5M_steps",
        "Russian news of WMT 2011-2016, 946 M tokens",
    ),
    _by_deeppavlov(
        "ru-wiki", "elmo_ru-wiki_600k_steps", "Russian Wikipedia, 386 M tokens"
    ),
    _by_deeppavlov(
        "ru-twitter",
        "elmo_ru-twitter_2013-01_2018-04_600k_steps",
        "Russian Twitter, 2013-01 to 2018-04, 810 M tokens",
    ),
)
_BY_NAME = {_canonical(name): model for model in _MODELS for name in model.all_names}
