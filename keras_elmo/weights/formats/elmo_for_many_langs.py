"""The folders of ELMoForManyLangs (HIT-SCIR), models of 45 languages.

Their numbers are in two files of `torch.save`, and beside them are the characters and
words of the language. What is other than in ELMo: characters are Unicode's, some words
have an embedding beside that of their characters, and a projection of both follows.
The gates of an LSTM are in another order, and 1 is in the bias of the forget gate.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.char_ids import (
    NUM_IDS,
    PADDING,
    SENTENCE_BEGIN,
    SENTENCE_END,
    TOKEN_BEGIN,
    TOKEN_END,
)
from keras_elmo.files.strict_json import read_object
from keras_elmo.weights import tables
from keras_elmo.weights.containers.torch_pickle import read_arrays
from keras_elmo.weights.formats.dictionary import read_dictionary
from keras_elmo.weights.mapping import LazyArray
from keras_elmo.weights.stored_model import StoredModel

FORMAT = "ELMoForManyLangs"
CONFIG = "config.json"
CHARACTERS, WORDS = "char.dic", "word.dic"
FILES = ("token_embedder.pkl", "encoder.pkl")
_CHAR_EMBEDDING = "char_emb_layer.embedding.weight"
# Some archives name this file and come without it, since it is in the source of
# ELMoForManyLangs: the published models were trained with these sizes.
_PUBLISHED = "cnn_50_100_512_4096_sample.json"
_PUBLISHED_SIZES: Mapping[str, Any] = {
    "encoder": {
        "name": "elmo",
        "projection_dim": 512,
        "cell_clip": 3,
        "proj_clip": 3,
        "dim": 4096,
        "n_layers": 2,
    },
    "token_embedder": {
        "name": "cnn",
        "activation": "relu",
        "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
        "n_highway": 2,
        "word_dim": 100,
        "char_dim": 50,
        "max_characters_per_token": 50,
    },
}
# These entries are no characters. The models were trained with two of them swapped, so
# that the end of a word opens it, and its beginning closes it.
_SPECIAL = {
    "<bos>": SENTENCE_BEGIN,
    "<eos>": SENTENCE_END,
    "<eow>": TOKEN_BEGIN,
    "<bow>": TOKEN_END,
    "<pad>": PADDING,
}
_UNKNOWN = "<oov>"


def recognizes(path: Path) -> bool:
    """Whether this is a folder with the two files."""
    return all((path / name).is_file() for name in FILES)


def open_folder(path: Path) -> StoredModel:
    """Opens a folder with the two files, the dictionaries and `config.json`.

    Raises:
        FileNotFoundError: if one of them is missing.
        ValueError: if one of them is broken, or describes another kind of model.
    """
    source, sizes = _read_sizes(path)
    arguments = _to_arguments(sizes, source)
    characters = read_dictionary(path / CHARACTERS)
    vocabulary, ids = _order_characters(characters, path / CHARACTERS)
    words = None
    if arguments["word_embedding_dim"]:
        words = read_dictionary(path / WORDS)
        arguments["num_words"] = len(words)
    else:
        del arguments["word_embedding_dim"]
    arguments["num_characters"] = max(NUM_IDS + 1, int(ids.max()) + 1)
    arrays: dict[str, LazyArray] = {}
    for name in FILES:
        arrays |= read_arrays(path / name)
    _check_shapes(arrays, arguments, len(ids), path)
    return StoredModel(
        format=FORMAT,
        origin=os.fspath(path),
        described_in=source,
        arguments=arguments,
        table=tables.elmo_for_many_langs(ids, arguments["num_characters"]),
        arrays=arrays,
        embedding={"token_vocabulary": {"characters": vocabulary, "words": words}},
    )


def _read_sizes(path: Path) -> tuple[str, Mapping[str, Any]]:
    """The file that tells the sizes, and its content."""
    if not (path / CONFIG).is_file():
        raise FileNotFoundError(
            f"A model of ELMoForManyLangs should have a {CONFIG}. Received: "
            f"{os.fspath(path)!r}, which has none. Unpack the whole archive"
        )
    named = read_object(path / CONFIG).get("config_path")
    if not isinstance(named, str):
        raise ValueError(
            f"{os.fspath(path / CONFIG)} should name the file of the model's sizes as "
            f"'config_path'. Received: {named!r}. Fetch the model again"
        )
    # The name is that on the authors' machine, so only its last part counts.
    name = named.replace("\\", "/").rpartition("/")[-1]
    file = path / name
    if name and file.is_file():
        return os.fspath(file), read_object(file)
    if name == _PUBLISHED:
        return f"{name} of ELMoForManyLangs", _PUBLISHED_SIZES
    raise FileNotFoundError(
        f"{os.fspath(path / CONFIG)} should name a file beside it, or {_PUBLISHED}. "
        f"Received: config_path={named!r}. Put that file there"
    )


def _to_arguments(sizes: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The arguments of the `BiLM` but for the numbers of characters and words."""
    try:
        encoder, embedder = sizes["encoder"], sizes["token_embedder"]
        kinds = str(encoder["name"]).lower(), str(embedder["name"]).lower()
        arguments = {
            "filters": embedder["filters"],
            "units": encoder["dim"],
            "projection_dim": encoder["projection_dim"],
            "num_layers": encoder["n_layers"],
            "embedding_dim": embedder["char_dim"],
            "num_highway_layers": embedder["n_highway"],
            "activation": embedder["activation"],
            # 0 stands for no bound there.
            "cell_clip": encoder["cell_clip"] or None,
            "projection_clip": encoder["proj_clip"] or None,
            "use_skip_connections": True,
            "max_characters": embedder["max_characters_per_token"],
            "word_embedding_dim": embedder["word_dim"],
            "sentence_boundaries": True,
        }
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{source} should hold the sizes of ELMoForManyLangs. Received: one "
            f"without {error}. Fetch the file again"
        ) from error
    if kinds != ("elmo", "cnn") or arguments["embedding_dim"] == 0:
        raise ValueError(
            f"{source} should describe a model of characters: an encoder 'elmo', a "
            f"token embedder 'cnn', and a char_dim. Received: {kinds[0]!r}, "
            f"{kinds[1]!r} and char_dim={arguments['embedding_dim']!r}, which no "
            "published model is, and this package can't compute"
        )
    return arguments


def _order_characters(names: list[str], path: Path) -> tuple[str, np.ndarray]:
    """The characters in the order of the file, and our id of each of its entries."""
    missing = sorted({*_SPECIAL, _UNKNOWN} - set(names))
    characters = [name for name in names if name not in _SPECIAL and name != _UNKNOWN]
    longer = [name for name in characters if len(name) != 1]
    if missing or longer:
        raise ValueError(
            f"{os.fspath(path)} should hold single characters and "
            f"{sorted({*_SPECIAL, _UNKNOWN})}. Received: {longer[:5]} besides, and no "
            f"{missing}. Fetch the file again"
        )
    # An unknown character is numbered after all others, see `TokenVocabulary`.
    place = {name: index for index, name in enumerate([*characters, _UNKNOWN])}
    first_after = SENTENCE_BEGIN - 1  # how many ids there are before the special ones
    ids = [
        _SPECIAL[name]
        if name in _SPECIAL
        else place[name] + (1 if place[name] < first_after else NUM_IDS - first_after)
        for name in names
    ]
    return "".join(characters), np.array(ids)


def _check_shapes(
    arrays: Mapping[str, LazyArray], arguments: Mapping[str, Any], rows: int, path: Path
) -> None:
    """Compares the sizes by which the table's layouts take memory."""
    width = sum(pair[-1] for pair in _pairs(arguments["filters"]))
    expected: dict[str, tuple[Any, ...]] = {
        _CHAR_EMBEDDING: (rows, arguments["embedding_dim"])
    }
    if arguments["num_highway_layers"] and width:
        expected["highways._layers.0.weight"] = (2 * width, width)
    for name, shape in expected.items():
        found = arrays[name].shape if name in arrays else None
        if found != shape:
            raise ValueError(
                f"{os.fspath(path / FILES[0])} should hold {name} of shape {shape}, as "
                f"{CHARACTERS} and the sizes say. Received: {found}. Check that these "
                "files belong together"
            )


def _pairs(filters: Any) -> list[Any]:
    """The filters if they may be pairs of numbers, all of which are checked later."""
    is_list = isinstance(filters, list) and all(
        isinstance(pair, list) and pair and type(pair[-1]) is int for pair in filters
    )
    return filters if is_list else []
