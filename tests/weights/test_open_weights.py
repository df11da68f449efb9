"""Whatever people's code holds: names, addresses, folders, archives."""

import dataclasses
import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest
from golden import FIXTURES, assert_close
from models import skip_bilm

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.presets import find_published, location
from keras_elmo.weights.open_weights import open_weights

HUB = FIXTURES / "skip" / "hub"
SMALL = "2x1024_128_2048cnn_1xhighway/elmo_2x1024_128_2048cnn_1xhighway_weights.hdf5"


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_ELMO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "tfhub"))


def archived(folder):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(folder, ".")
    return content.getvalue()


@pytest.mark.parametrize(
    "handle",
    [
        "https://tfhub.dev/google/elmo/2",
        "http://tfhub.dev/google/elmo/2/",
        "google/elmo/2",
    ],
)
def test_what_tensorflow_hub_has_downloaded(handle, tmp_path):
    name = hashlib.sha1(b"https://tfhub.dev/google/elmo/2").hexdigest()
    shutil.copytree(HUB, tmp_path / "tfhub" / name)
    expected = ElmoEmbedding.from_tfhub(HUB)
    assert_close(ElmoEmbedding.from_tfhub(handle).variables, expected.variables, atol=0)
    assert_close(
        ElmoEmbedding.from_preset(handle).variables, expected.variables, atol=0
    )


@pytest.mark.parametrize(
    "address",
    [
        f"https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/{SMALL}",
        f"https://allennlp.s3.amazonaws.com/models/elmo/{SMALL}",
        "allennlp/small",
    ],
)
def test_allennlp_by_its_addresses(address, skip_model, tmp_path):
    """Offline, with the files put where they would have been downloaded to."""
    folder = tmp_path / "home" / "allennlp" / "small"
    folder.mkdir(parents=True)
    for file in skip_model.files.values():
        shutil.copy(file, folder)
    elmo = ElmoEmbedding.from_preset(address)
    assert elmo.sentence_boundaries
    assert_close(elmo.bilm.variables, skip_bilm().variables, atol=0)


def test_address_of_an_archive(file_server, tmp_path):
    file_server.content = archived(HUB)
    address = file_server.address("my_elmo.tar.gz")
    expected = ElmoEmbedding.from_tfhub(HUB)
    for _ in range(2):
        assert_close(
            ElmoEmbedding.from_tfhub(address).variables, expected.variables, atol=0
        )
    assert len(file_server.requests) == 1
    # Unpacked once, and kept.
    (found,) = (tmp_path / "home").rglob("variables.index")
    assert "my_elmo.tar.gz.unpacked" in str(found)


# Archives of published models are laid out in these ways, which differ in the name of
# the archive and in where the two files, and others, are in it.
LAYOUTS = {
    "rostlab/seqvec": (
        "model.zip",
        "uniref50_v2/options.json",
        "uniref50_v2/weights.hdf5",
        "__MACOSX/uniref50_v2/._weights.hdf5",
    ),
    "embeddia/sl": (
        "model.tar.gz",
        "slovenian/options.json",
        "slovenian/slovenian-elmo-weights.hdf5",
    ),
    "nlpl/217": (
        "model.zip",
        "options.json",
        "model.hdf5",
        "vocab.txt",
        "meta.json",
        "README",
    ),
    "nlpl/199": ("model.zip", "options.json", "model.hdf5", "vocab.txt"),
    "oscar/fr": ("model.zip", "elmo_fr_020_options.json", "elmo_fr_020_weights.hdf5"),
    "oscar/bg": (
        "model.zip",
        "bg/elmo_bg_020_options.json",
        "bg/elmo_bg_020_weights.hdf5",
    ),
    "noc-lab/clinical": (
        "model.tar.gz",
        "elmo/options.json",
        "elmo/mimic_wiki.hdf5",
        "elmo/vocab.txt",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_archives_of_published_models(
    name, skip_model, file_server, tmp_path, monkeypatch
):
    archive, options, weights, *others = LAYOUTS[name]
    folder = tmp_path / "content"
    for path in (options, weights, *others):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("<S>\n</S>\n<UNK>\n")
    shutil.copy(skip_model.options, folder / options)
    shutil.copy(skip_model.weights, folder / weights)
    format = "zip" if archive.endswith(".zip") else "gztar"
    packed = shutil.make_archive(str(tmp_path / "packed"), format, folder)
    file_server.content = Path(packed).read_bytes()
    model = find_published(name)
    assert list(model.files) == [archive]
    there = {**model.files, archive: file_server.address(archive)}
    monkeypatch.setattr(
        location,
        "find_published",
        lambda name: dataclasses.replace(find_published(name), files=there),
    )
    stored = open_weights(name)
    assert stored.sentence_boundaries
    assert bool(stored.vocabulary) == any("vocab" in other for other in others)
    expected = skip_bilm()
    assert_close(BiLM.from_preset(name).variables, expected.variables, atol=0)
    assert [request["path"] for request in file_server.requests] == [f"/{archive}"]


def test_an_archive_that_is_broken_is_not_kept_unpacked(file_server, tmp_path):
    file_server.content = archived(HUB)[:-100]
    with pytest.raises(ValueError, match="should be a complete"):
        ElmoEmbedding.from_tfhub(file_server.address())
    assert not list((tmp_path / "home").rglob("variables.index"))


def test_temporary_files_go_with_the_source(skip_model, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "elmo.tgz").write_bytes(archived(HUB))
    source = open_weights(tmp_path / "elmo.tgz")
    assert list((tmp_path / "temporary").iterdir())
    BiLM.from_stored_model(source)
    del source
    assert not list((tmp_path / "temporary").iterdir())


def test_neither_one_nor_two():
    with pytest.raises(
        ValueError, match=r"Weights should be .*Received: \['a', 'b', 'c'\]"
    ):
        open_weights(["a", "b", "c"])


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="which is none of these"):
        open_weights(tmp_path)


def test_known_models_are_listed(capsys):
    main(["info"])
    output = capsys.readouterr().out
    for part in ("tiny_en", "allennlp/original", "93,600,000", "Russian"):
        assert part in output
    main(["info", "--json"])
    assert "Apache-2.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "received"),
    [
        (3, "3 of type int"),
        (None, "None of type NoneType"),
        (b"tiny_en", "b'tiny_en' of type bytes"),
        ([3], "3 of type int"),
        (["options.json", 4.5], "4.5 of type float"),
        ({"lstm": {}}, "{'lstm': {}} of type dict"),
    ],
)
def test_sources_of_another_type(source, received):
    with pytest.raises(ValueError, match=rf"Weights should be .*{received}"):
        BiLM.from_preset(source)


def test_modules_of_another_type():
    with pytest.raises(ValueError, match="`module` should be .*module=3 of type int"):
        BiLM.from_tfhub(3)


def test_weights_alone_find_their_options(skip_model, tmp_path):
    expected = skip_bilm()
    (tmp_path / "other.options.json").write_text("{}")
    (tmp_path / "other.hdf5").write_bytes(b"")
    for weights, options in (
        ("mine.hdf5", "mine.options.json"),
        ("elmo_2x48_weights.hdf5", "elmo_2x48_options.json"),
        ("third.h5", "options.json"),
    ):
        shutil.copy(skip_model.weights, tmp_path / weights)
        with pytest.raises(FileNotFoundError, match="options beside them"):
            BiLM.from_preset(tmp_path / weights)
        shutil.copy(skip_model.options, tmp_path / options)
        assert_close(
            BiLM.from_preset(tmp_path / weights).variables, expected.variables, atol=0
        )


def test_a_folder_with_several_weights(skip_model, tmp_path):
    for name in ("first", "second"):
        shutil.copy(skip_model.weights, tmp_path / f"{name}.hdf5")
        shutil.copy(skip_model.options, tmp_path / f"{name}.options.json")
    with pytest.raises(ValueError, match=r"\['first.hdf5', 'second.hdf5'\].*Give"):
        BiLM.from_preset(tmp_path)
    (tmp_path / "second.hdf5").unlink()
    assert_close(BiLM.from_preset(tmp_path).variables, skip_bilm().variables, atol=0)
