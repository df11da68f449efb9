"""What is mutated, and how it is read: the files of weights and of vectors."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
from golden import FIXTURES
from language_models import language_model
from refusal import read_all

from keras_elmo import ElmoEmbedding, bulk
from keras_elmo.weights.open_weights import open_weights

TEXT = "the cat is on the mat\n\ndogs are in the fog\na  b\n"


class Subject(NamedTuple):
    """A kind of file.

    Attributes:
        make: Fills a folder.
        read: Reads all that is in it.
    """

    make: Callable[[Path], None]
    read: Callable[[Path], None]


def _copy(*names: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name in names:
            source = FIXTURES / name
            if source.is_dir():
                shutil.copytree(source, folder, dirs_exist_ok=True)
            else:
                shutil.copy(source, folder)

    return make


def _preset(folder: Path) -> None:
    keras.utils.set_random_seed(0)
    language_model().save_to_preset(folder / "preset")


def _archive(folder: Path) -> None:
    _elmo().to_tfhub(folder / "module")
    with tarfile.open(folder / "module.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(folder / "module", ".")
    shutil.rmtree(folder / "module")


def _elmo() -> ElmoEmbedding:
    skip = FIXTURES / "skip"
    return ElmoEmbedding.from_hdf5(skip / "options.json", skip / "weights.hdf5")


def _embedded(name: str, dtype: str = "float32") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        text = folder / "text.txt"
        text.write_text(TEXT, encoding="utf-8")
        arguments = {"lines_per_shard": 2, "report": lambda line: None}
        bulk.embed_corpus(_elmo(), text, folder / name, dtype=dtype, **arguments)
        text.unlink()

    return make


def _allennlp(folder: Path) -> None:
    """As `allennlp elmo` writes it, without a manifest."""
    _embedded("v.hdf5")(folder)
    (folder / "v.hdf5.manifest.json").unlink()


def _read(*names: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        paths = [folder / name for name in names] or [folder]
        source = open_weights(paths if len(paths) > 1 else paths[0])
        read_all(source)
        for tensors in source.extra_weights.values():
            for array in tensors().values():
                array[...]

    return read


def _open(name: str, has_tokens: bool = True) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        bulk.check(folder / name)
        with bulk.open(folder / name) as vectors:
            for number in range(len(vectors)):
                vectors[number].sum()
                if has_tokens:
                    vectors.tokens(number)

    return read


SUBJECTS = {
    "hdf5": Subject(
        _copy("skip/options.json", "skip/weights.hdf5"),
        _read("options.json", "weights.hdf5"),
    ),
    # In a smaller file more of the changes are of its structure.
    "small_hdf5": Subject(
        _copy("bilm_tf/options.json", "bilm_tf/weights.hdf5"),
        _read("options.json", "weights.hdf5"),
    ),
    "checkpoint": Subject(_copy("bilm_tf"), _read("model.ckpt-1")),
    "many_langs": Subject(_copy("elmo_for_many_langs"), _read()),
    "preset": Subject(_preset, _read("preset")),
    "archive": Subject(_archive, _read("module.tar.gz")),
    "vectors_npy": Subject(_embedded("vectors"), _open("vectors")),
    "vectors_int16": Subject(_embedded("vectors", "int16"), _open("vectors")),
    "vectors_parquet": Subject(_embedded("v.parquet"), _open("v.parquet")),
    "vectors_allennlp": Subject(_allennlp, _open("v.hdf5", has_tokens=False)),
    "vectors_hdf5": Subject(_embedded("v.hdf5"), _open("v.hdf5", has_tokens=False)),
}
