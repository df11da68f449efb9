"""Embeddings that are computed once and read from a file afterwards."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_elmo.bilm import BiLM
from keras_elmo.bulk.formats.hdf5_writer import Hdf5Writer
from keras_elmo.bulk.layers import Layers
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.compat.bilm_tf.vocabulary_file import check_file, vocabulary_words
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.embedding.word_cache import encode_words
from keras_elmo.files.atomic import replacing
from keras_elmo.weights.containers.hdf5 import write_arrays


def dump_bilm_embeddings(
    vocab_file: str | os.PathLike,
    dataset_file: str | os.PathLike,
    options_file: str | os.PathLike | Mapping,
    weight_file: str | os.PathLike,
    outfile: str | os.PathLike,
) -> None:
    """Embeds a text file of one sentence a line, into an HDF5 file.

    Every line gets a dataset, named by its number from 0 on: float32 `(layers, tokens,
    2 * projection_dim)`, of which layer 0 is `word_emb` twice; an empty line has one
    without tokens. Every line is embedded by itself, where bilm-tf goes on from the
    state of the line before. For corpora there is `keras-elmo embed`, which can be
    interrupted and shared, and writes other formats.

    Reference: bilm-tf (`bilm/model.py`).

    Args:
        vocab_file: Path of the vocabulary, which has to be there, as bilm-tf has it;
            embeddings do not depend on it.
        dataset_file: Path of the text, split on Unicode white space; .gz, .xz and .bz2
            are decompressed.
        options_file: Path of `options.json`, or its content.
        weight_file: Path of the HDF5 file of the weights.
        outfile: Path of the file to write; one that is there is replaced, as by
            bilm-tf, once the new one is complete.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if the disk is full.
        ValueError: if a file is broken, or two do not belong together.
    """
    check_file("vocab_file", vocab_file)
    check_file("dataset_file", dataset_file)
    elmo = ElmoEmbedding.from_hdf5(options_file, weight_file)
    chosen = Layers("all", elmo.bilm.num_layers, elmo.bilm.projection_dim)
    with TextSource(dataset_file) as source, replacing(outfile) as temporary:
        stream: Any = elmo.encode_stream(_tokens(source), chosen.output_key)
        with Hdf5Writer(Path(temporary)) as writer:
            for number, outputs in enumerate(stream):
                rows = chosen.rows_of(outputs)  # (tokens, layers, dim)
                writer.write(str(number), rows.swapaxes(0, 1))


def dump_token_embeddings(
    vocab_file: str | os.PathLike,
    options_file: str | os.PathLike | Mapping,
    weight_file: str | os.PathLike,
    outfile: str | os.PathLike,
) -> None:
    """Writes the context-free `word_emb` of all words of a vocabulary.

    A `BidirectionalLanguageModel` with `use_character_inputs=False` reads the file as
    its `embedding_weight_file`. (An `ElmoEmbedding` with `cached_words` does without,
    and reads other words as well.)

    Reference: bilm-tf (`bilm/model.py`).

    Args:
        vocab_file: Path of the words, one a line, with `<S>` and `</S>` among them.
        options_file: Path of `options.json`, or its content.
        weight_file: Path of the HDF5 file of the weights.
        outfile: Path of the HDF5 file to write, with `embedding`, float32 `(words,
            projection_dim)`; a file that is there is replaced.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is broken, or two do not belong together.
    """
    words = [
        word.encode("utf-8", errors="surrogateescape")
        for word in vocabulary_words(vocab_file)
    ]
    bilm = BiLM.from_hdf5(options_file, weight_file)
    vectors = encode_words(words, bilm.char_cnn, bilm.max_characters)
    write_arrays(outfile, {"embedding": vectors.astype("float32")})


def _tokens(source: TextSource) -> Iterator[list[bytes]]:
    for part in source.parts():
        for line in part.lines:
            words = line.decode("utf-8", errors="surrogateescape").split()
            yield [word.encode("utf-8", errors="surrogateescape") for word in words]
