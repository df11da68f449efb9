"""The models that others have published, and the addresses people's code holds.

All facts are in `published.json`, model by model; what a group of models has in common
stands once above them. Where a value holds `{name}`, it is
filled in with that fact of the model, or with that entry of `texts`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from keras_elmo.files.strict_json import read_object

_BUCKET = "allennlp.s3.amazonaws.com"
# The ways to write an address in AllenNLP's bucket: old code has the path style.
_BUCKET_STYLES = re.compile(
    r"//(allennlp\.s3([.-]us-west-2)?\.amazonaws\.com"
    r"|s3([.-]us-west-2)?\.amazonaws\.com/allennlp)/"
)
# Every version of NLPL's repository has all models of those before it.
_NLPL_ADDRESS = re.compile(r"//vectors\.nlpl\.eu/repository/\d+/(\d+)\.zip")
_NLPL_NAME = re.compile(r"nlpl/([1-9]\d{0,5})")
# Some servers send a page about a file, unless the address ends with one of these.
_QUERY = re.compile(r"\?(tf-hub-format=compressed|dl=[01])$")


@dataclass(frozen=True)
class PublishedModel:
    """A pretrained model that somebody has published.

    Args:
        name: Its name here, such as `"allennlp/small"`.
        files: Address of each of its files, by the file's name on this machine.
        language: Its language, as BCP 47 writes it, such as `"en"`; `"und"` where it
            could not be established, `"zxx"` for what is no language.
        corpus: What it was trained on.
        citation: Whom to cite.
        licence: Its licence, or `"not stated"`; `"not established"` where nobody
            could look.
        addresses_from: Who gives the addresses.
        reached: Whether a file has ever been fetched from there by those who wrote
            this package. Defaults to False.
        other_names: What else people's code calls it: names and addresses.
        hashes: What the authors say of the files, see `known_hash` of `download`.
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
    addresses_from: str
    reached: bool = False
    other_names: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(hash=False, default_factory=dict)
    size: int | None = None
    parameters: int | None = None

    @property
    def all_names(self) -> tuple[str, ...]:
        """All names and addresses of it, some of which other models may share."""
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

    Either file of a model with two is enough, unless other models have the same one.
    `http` or `https`, a slash at the end, `?tf-hub-format=compressed`, `?dl=1` and the
    ways to write an S3 address make no difference.

    Args:
        name_or_address: Such as `"allennlp/small"`, `"https://tfhub.dev/google/elmo/2"`;
            or `"nlpl/217"`, and the same with any number of NLPL's repository.

    Returns:
        The model, or None if there is none of this name.

    Example:

    >>> find_published("https://tfhub.dev/google/elmo/2").name
    'google/elmo/2'
    """
    name = _canonical(name_or_address)
    return _BY_NAME.get(name) or _from_nlpl(name)


def _canonical(name: str) -> str:
    name = re.sub(r"^https?://(www\.)?", "//", name.lower())
    name = _QUERY.sub("", name).rstrip("/")
    name = _NLPL_ADDRESS.sub(r"nlpl/\1", name)
    return _BUCKET_STYLES.sub(f"//{_BUCKET}/", name)


def _from_nlpl(name: str) -> PublishedModel | None:
    """A model of NLPL's repository that is not listed here."""
    found = _NLPL_NAME.fullmatch(name)
    if not found:
        return None
    return PublishedModel(
        name=name,
        files={"model.zip": f"http://vectors.nlpl.eu/repository/20/{found[1]}.zip"},
        language="und",
        corpus="not established; NLPL's catalogue says what it is, and whether an ELMo",
        citation="not established",
        licence="not established",
        addresses_from="the form that addresses of this repository have",
    )


def _read(path: Path) -> Iterator[PublishedModel]:
    """The models in the order of the file."""
    content = read_object(path)
    known = {field.name for field in fields(PublishedModel)}
    for group in content["groups"]:
        for model in group["models"]:
            facts = {**group, **model}
            texts = {**content["texts"], **facts}
            facts = {
                key: _filled_in(facts[key], texts) for key in facts if key in known
            }
            yield PublishedModel(**facts)


def _filled_in(value: Any, texts: Mapping[str, Any]) -> Any:
    """A value of the file with what its `{...}` stand for."""
    if isinstance(value, dict):
        return {key: _filled_in(inner, texts) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_filled_in(inner, texts) for inner in value)
    return value.format_map(texts) if isinstance(value, str) else value


def _by_name(models: tuple[PublishedModel, ...]) -> dict[str, PublishedModel]:
    """The models by all of their names that mean just one."""
    named = [
        (name, model)
        for model in models
        for name in set(map(_canonical, model.all_names))
    ]
    count = Counter(name for name, _ in named)
    return {name: model for name, model in named if count[name] == 1}


_MODELS = tuple(_read(Path(__file__).with_name("published.json")))
_BY_NAME = _by_name(_MODELS)
