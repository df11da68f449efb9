import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
from file_server import Answer

from keras_elmo import presets
from keras_elmo.presets import cache_dir, find_published, locate, published_models

MANY_LANGUAGES = (
    "ar bg ca cs cu da de el en es et eu fa fi fr ga gl grc he hi hr hu id it ja ko la "
    "lv nl nb nn pl pt ro ru sk sl sv tr ug uk ur vi zh zhs"
)
NAMES = [
    "allennlp/small",
    "allennlp/medium",
    "allennlp/original",
    "allennlp/original-5.5b",
    "allennlp/pt",
    "allennlp/pt-wikipedia",
    "allennlp/pt-brwac",
    "allennlp/pubmed",
    "google/elmo/1",
    "google/elmo/2",
    "google/elmo/3",
    "deeppavlov/ru-news",
    "deeppavlov/ru-wiki",
    "deeppavlov/ru-twitter",
    "rostlab/seqvec",
    *(
        f"embeddia/{language}"
        for language in ("sl", "hr", "fi", "et", "lv", "lt", "sv")
    ),
    *(f"nlpl/{number}" for number in (210, 211, 217, 218)),
    "t-systems/de",
    "oscar/fr",
    *(
        f"oscar/{language}{corpus}"
        for language in ("bg", "ca", "da", "fi", "id")
        for corpus in ("", "-wiki")
    ),
    *(
        f"crosslingual/{language}"
        for language in ("en", "es", "fr", "it", "pt", "sv", "de")
    ),
    "andy-jqa/bioelmo",
    "noc-lab/clinical",
    "schweter/eu",
    *(f"hit-scir/{language}" for language in MANY_LANGUAGES.split()),
]
FILES = (
    ["options.json", "weights.hdf5"],
    ["module.tar.gz"],
    ["model.tar.gz"],
    ["model.tar.bz2"],
    ["model.zip"],
)
# Several models share this file, so that it can't tell which is meant.
SHARED = "https://www.dropbox.com/s/ypjuzlf7kj957g3/options262.json"
SMALL = "models/elmo/2x1024_128_2048cnn_1xhighway/elmo_2x1024_128_2048cnn_1xhighway"
PT = "models/elmo/contributed/pt"
# TensorFlow Hub's folder of google/elmo/1, as its log in tensorflow/hub #88 has it.
ELMO_1 = "0eadd30f548cbfd3065119697ded6bb381668285"


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """Nothing of this machine, and nothing of the web."""
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def make_module(cache, handle):
    module = cache / hashlib.sha1(handle.encode()).hexdigest()
    (module / "variables").mkdir(parents=True)
    (module / "variables" / "variables.index").write_bytes(b"")
    return module


def test_names():
    assert [model.name for model in published_models()] == NAMES
    assert len(set(published_models())) == len(NAMES)


@pytest.mark.parametrize("model", published_models(), ids=NAMES)
def test_facts(model):
    assert re.fullmatch("[a-z0-9./-]+", model.name)
    assert list(model.files) in FILES
    assert set(model.hashes) <= set(model.files)
    assert all(re.match("https?://", address) for address in model.files.values())
    assert re.fullmatch("[a-z]{2,3}(-Han[st])?", model.language)
    assert model.corpus and model.licence and "Peters" in model.citation
    assert model.addresses_from and not model.reached
    assert not re.search("[{}]", str((model.all_names, model.corpus, model.citation)))


def test_every_name_means_one_model():
    named = [(name, m) for m in published_models() for name in m.all_names]
    named = [(name, m) for name, m in named if not name.startswith(SHARED)]
    assert all(find_published(name) is model for name, model in named)
    assert len({name for name, _ in named}) == len(named)
    assert find_published(SHARED) is None


def test_any_model_of_nlpl():
    model = find_published("http://vectors.nlpl.eu/repository/11/199.zip")
    assert model.name == "nlpl/199" and model.language == "und"
    assert model.files == {"model.zip": "http://vectors.nlpl.eu/repository/20/199.zip"}
    for name in ("nlpl/", "nlpl/0", "nlpl/1234567", "nlpl/../x", "nlpl/12/3"):
        assert find_published(name) is None


@pytest.mark.parametrize(
    "name, expected",
    [
        ("allennlp/small", "allennlp/small"),
        ("AllenNLP/original-5.5B", "allennlp/original-5.5b"),
        (
            f"https://s3-us-west-2.amazonaws.com/allennlp/{SMALL}_options.json",
            "allennlp/small",
        ),
        (
            f"https://s3-us-west-2.amazonaws.com/allennlp/{SMALL}_weights.hdf5",
            "allennlp/small",
        ),
        (f"https://allennlp.s3.amazonaws.com/{SMALL}_weights.hdf5", "allennlp/small"),
        (
            f"http://allennlp.s3.us-west-2.amazonaws.com/{SMALL}_options.json",
            "allennlp/small",
        ),
        (
            f"https://s3.amazonaws.com/allennlp/{SMALL}_options.json",
            "allennlp/small",
        ),
        (
            f"https://s3-us-west-2.amazonaws.com/allennlp/{PT}/elmo_pt_weights.hdf5",
            "allennlp/pt",
        ),
        (
            f"https://s3-us-west-2.amazonaws.com/allennlp/{PT}/elmo_pt_options.txt",
            "allennlp/pt",
        ),
        (
            f"https://s3-us-west-2.amazonaws.com/allennlp/{PT}/brwac/options.json",
            "allennlp/pt-brwac",
        ),
        ("https://tfhub.dev/google/elmo/1", "google/elmo/1"),
        ("https://tfhub.dev/google/elmo/2", "google/elmo/2"),
        ("http://tfhub.dev/google/elmo/2/", "google/elmo/2"),
        (
            "https://tfhub.dev/google/elmo/3?tf-hub-format=compressed",
            "google/elmo/3",
        ),
        (
            "https://storage.googleapis.com/tfhub-modules/google/elmo/2.tar.gz",
            "google/elmo/2",
        ),
        (
            "https://www.kaggle.com/models/google/elmo/TensorFlow1/elmo/3",
            "google/elmo/3",
        ),
        (
            "https://kaggle.com/models/google/elmo/frameworks/TensorFlow1/variations/"
            "elmo/versions/3",
            "google/elmo/3",
        ),
        ("deeppavlov/en-1b", "google/elmo/2"),
        (
            "https://files.deeppavlov.ai/deeppavlov_data/elmo_ru-wiki_600k_steps.tar.gz",
            "deeppavlov/ru-wiki",
        ),
        ("SeqVec", "rostlab/seqvec"),
        ("http://rostlab.org/~deepppi/seqvec.zip", "rostlab/seqvec"),
        ("NorELMo30", "nlpl/217"),
        ("http://vectors.nlpl.eu/repository/11/144.zip", "hit-scir/en"),
        ("nlpl/165", "hit-scir/nb"),
        ("https://vectors.nlpl.eu/repository/20/217.zip", "nlpl/217"),
        (
            "https://www.dropbox.com/s/2kbjnvb12htgqk8/de_weights.hdf5",
            "crosslingual/de",
        ),
        (
            "https://www.dropbox.com/s/2kbjnvb12htgqk8/de_weights.hdf5?dl=0",
            "crosslingual/de",
        ),
        ("https://tfhub.dev/google/elmo/4", None),
        ("https://tfhub.dev/google/elmo/22", None),
        ("https://example.com/google/elmo/2", None),
        ("https://allennlp/small", None),
        (f"https://s3.amazonaws.com/other/{SMALL}_options.json", None),
        ("tiny_en", None),
        ("", None),
    ],
)
def test_what_names_mean(name, expected):
    model = find_published(name)
    assert (model and model.name) == expected


def test_own_presets_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny_en").mkdir()
    assert locate("tiny_en") == Path(presets.__file__).parent / "tiny_en"
    assert locate("./tiny_en") == Path("tiny_en")
    assert locate(Path("tiny_en")) == Path("tiny_en")


def test_paths_come_before_published_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "google" / "elmo").mkdir(parents=True)
    (tmp_path / "google" / "elmo" / "2").write_bytes(b"")
    assert locate("google/elmo/2") == Path("google/elmo/2")


@pytest.mark.parametrize(
    "source", ["tiny_fr", Path("allennlp/small"), "", "a\0", "a" * 5000, "s3://b/c"]
)
def test_names_nothing(source):
    received = re.escape(f"Received: {os.fspath(source)!r}, which is none of these")
    expected = rf"\['tiny_en'\], .* \['allennlp/small', .*{received}"
    with pytest.raises(FileNotFoundError, match=expected):
        locate(source)


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("tiny-en", "tiny_en"),
        ("tinyen", "tiny_en"),
        ("Tiny_EN", "tiny_en"),
        ("google/elmo2", "google/elmo/2"),
        ("allennlp-small", "allennlp/small"),
    ],
)
def test_a_name_that_is_nearly_right(source, meant):
    with pytest.raises(FileNotFoundError, match=f"Did you mean '{meant}'\\?$"):
        locate(source)


def test_nothing_is_suggested_that_is_far_away():
    with pytest.raises(FileNotFoundError, match=r"none of these\.$"):
        locate("thesis")


def test_two_files_are_a_folder(file_server, monkeypatch):
    model = published_models()[0]
    for file in list(model.files):
        monkeypatch.setitem(model.files, file, file_server.address(f"far_{file}"))
    file_server.script = [Answer(cut=4000)]
    folder = locate("allennlp/small")
    assert folder == cache_dir() / "allennlp" / "small"
    assert {"options.json", "weights.hdf5"} <= set(os.listdir(folder))
    assert locate("allennlp/small") == folder
    paths = [request["path"] for request in file_server.requests]
    assert paths == ["/far_options.json", "/far_options.json", "/far_weights.hdf5"]


def test_hashes_of_the_authors(file_server, monkeypatch):
    model = find_published("t-systems/de")
    for file in list(model.files):
        monkeypatch.setitem(model.files, file, file_server.address(file))
    with pytest.raises(
        ValueError, match=f"with the {model.hashes['options.json'][:3]}"
    ):
        locate("t-systems/de")
    digest = "md5:" + hashlib.md5(file_server.content).hexdigest()
    for file in list(model.files):
        monkeypatch.setitem(model.hashes, file, digest)
    assert locate("t-systems/de") == cache_dir() / "t-systems" / "de"


def test_archive_is_a_file(file_server, monkeypatch):
    model = find_published("google/elmo/2")
    monkeypatch.setitem(model.files, "module.tar.gz", file_server.address("2?x"))
    path = locate("https://tfhub.dev/google/elmo/2")
    assert path == cache_dir() / "google" / "elmo" / "2" / "module.tar.gz"
    assert path.read_bytes() == file_server.content


def test_other_addresses(file_server):
    first = locate(file_server.address("a/elmo.tar.gz"))
    second = locate(file_server.address("b/elmo.tar.gz"))
    assert first != second and first.name == second.name == "elmo.tar.gz"
    assert first.is_relative_to(cache_dir()) and second.is_file()
    assert locate(file_server.address("a/elmo.tar.gz")) == first
    assert len(file_server.requests) == 2


def test_offline_says_where(tmp_path):
    missing = tmp_path / "home" / "allennlp" / "small" / "options.json"
    with pytest.raises(FileNotFoundError, match=f"'{missing}' should be there"):
        locate("allennlp/small")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("source", ["google/elmo/1", "https://tfhub.dev/google/elmo/1"])
def test_what_tensorflow_hub_downloaded(tmp_path, monkeypatch, source):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    module = make_module(tmp_path / "hub", "https://tfhub.dev/google/elmo/1")
    assert module.name == ELMO_1
    assert locate(source) == module
    (module / "variables" / "variables.index").unlink()
    with pytest.raises(FileNotFoundError):
        locate(source)


def test_what_tensorflow_hub_downloaded_by_default(tmp_path):
    handle = "http://files.deeppavlov.ai/deeppavlov_data/elmo_ru-wiki_600k_steps.tar.gz"
    module = make_module(tmp_path / "temporary" / "tfhub_modules", handle)
    assert locate("deeppavlov/ru-wiki") == module
    other = make_module(module.parent, "https://example.com/elmo/1")
    assert locate("https://example.com/elmo/1") == other


def test_cache_dir(monkeypatch):
    monkeypatch.setenv("KERAS_ELMO_HOME", "~/models")
    assert cache_dir() == Path.home() / "models"
    monkeypatch.delenv("KERAS_ELMO_HOME")
    assert cache_dir().name == "keras_elmo"
    assert sys.platform != "linux" or cache_dir().is_relative_to(
        os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    )
