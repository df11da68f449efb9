import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
import tensorflow as tf

from keras_elmo.arguments import check_boolean, check_positive_integer
from keras_elmo.bilm import BiLM
from keras_elmo.bulk.layers import Layers
from keras_elmo.char_ids import length_mask
from keras_elmo.compat.allennlp.arguments import check_device
from keras_elmo.compat.allennlp.batch_bilm import BatchBiLM
from keras_elmo.compat.allennlp.embedding_file import (
    check_output_format,
    read_sentences,
    write_file,
)
from keras_elmo.compat.allennlp.files import open_files
from keras_elmo.compat.batch_states import BatchStates
from keras_elmo.compat.token_lists import (
    as_token_list,
    as_token_lists,
    check_sentences,
)
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.embedding.outputs import output_keys
from keras_elmo.text.preprocessor import ElmoPreprocessor
from keras_elmo.text.token_vocabulary import TokenVocabulary

BATCH_SIZE = 64


class ElmoEmbedder:
    """AllenNLP's `ElmoEmbedder`: tokenized sentences in, arrays of every layer out.

    Unlike AllenNLP's, it starts every sentence from zeros, so that a sentence always
    has the same vectors; `stateful=True` does as AllenNLP. Sentences that come in great
    numbers are then sorted by length, and each distinct token is encoded once.

    Reference: AllenNLP 0.9 (`allennlp/commands/elmo.py`).

    Args:
        options_file: See `Elmo`.
        weight_file: See `Elmo`. Without both, `tiny_en` is loaded, and said.
        cuda_device: Number of a GPU, which has to be there; or -1, the default. It is
            TensorFlow that chooses where to run, see `CUDA_VISIBLE_DEVICES`.
        stateful: Whether each row of a batch starts from where the same row of the last
            batch ended, as always in AllenNLP. Defaults to False.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if an argument is not as described, or files are broken.

    Example:

    >>> elmo = ElmoEmbedder("tiny_en")
    >>> elmo.embed_sentence(["I", "ate", "an", "apple"]).shape
    (3, 4, 256)
    """

    def __init__(
        self,
        options_file: str | os.PathLike | None = None,
        weight_file: str | os.PathLike | None = None,
        cuda_device: int = -1,
        stateful: bool = False,
    ):
        self.cuda_device = check_device(cuda_device)
        check_boolean("stateful", stateful)
        stored = open_files(options_file, weight_file)
        self.bilm = BiLM.from_stored_model(
            stored, sentence_boundaries=True, return_state=stateful
        )
        vocabulary = TokenVocabulary.of_stored_model(stored, self.bilm)
        self._states = None
        self._elmo: ElmoEmbedding | None = None
        if stateful:
            self._states = BatchStates(self.bilm.bilstm.state_sizes)
        else:
            self._elmo = ElmoEmbedding(self.bilm, token_vocabulary=vocabulary)
        self._run_bilm = BatchBiLM(self.bilm, self._states)
        self._preprocessor = ElmoPreprocessor(
            max_characters=self.bilm.max_characters,
            sentence_boundaries=True,
            distinct=True,
            token_vocabulary=vocabulary,
        )

    def embed_sentence(self, sentence: Sequence[str]) -> np.ndarray:
        """Embeds one sentence.

        Args:
            sentence: A list of tokens.

        Returns:
            float32 `(layers, tokens, 2 * projection_dim)`: the token representation,
            doubled, and each layer of the biLSTM. Without tokens `(layers, 0, ...)`.

        Raises:
            ValueError: if `sentence` is no list of strings.
        """
        as_token_list("sentence", sentence)
        return self.embed_batch([sentence])[0]

    def embed_batch(self, batch: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Embeds sentences at once, padded to the longest of them.

        Args:
            batch: A list of lists of tokens.

        Returns:
            Of each sentence what `embed_sentence` returns. With `stateful`, a batch
            without any token leaves the states as they are, as in AllenNLP; a sentence
            without tokens beside others does not.

        Raises:
            ValueError: if `batch` is not of lists of strings.
        """
        rows = as_token_lists("batch", batch)
        activations, _ = self._stacked(rows)
        arrays = zip(activations.numpy(), rows, strict=True)
        # Each is copied, so that who keeps one sentence does not keep its batch.
        return [array[:, : len(row)].copy() for array, row in arrays]

    def embed_sentences(
        self, sentences: Iterable[Sequence[str]], batch_size: int = BATCH_SIZE
    ) -> Iterator[np.ndarray]:
        """Embeds any number of sentences, one after the other, as they are asked for.

        Args:
            sentences: Lists of tokens: a list, or a generator.
            batch_size: How many sentences make a batch, with `stateful`. Otherwise some
                thousands of tokens do, as they are faster and take a known memory.
                Defaults to 64.

        Returns:
            Iterator over what `embed_sentence` returns.

        Raises:
            ValueError: if `sentences` are not lists of strings.
        """
        layers = self._layers("all")
        stream = self._stream(sentences, layers, batch_size)
        rows = map(layers.rows_of, stream)  # each (tokens, layers, dim)
        return (np.ascontiguousarray(array.swapaxes(0, 1)) for array in rows)

    def embed_file(
        self,
        input_file: IO[str],
        output_file_path: str | os.PathLike,
        output_format: str = "all",
        batch_size: int = BATCH_SIZE,
        forget_sentences: bool = False,
        use_sentence_keys: bool = False,
    ) -> None:
        """Embeds a file of sentences, into a file of HDF5 with a dataset a sentence.

        What `output_file_path` names is replaced, once the new file is complete. The
        file is read, and closed, at the beginning.

        Args:
            input_file: Open text of one sentence a line, tokens separated by white
                space. Empty lines are refused.
            output_file_path: The file to write.
            output_format: `"all"` (default), `(layers, tokens, 2 * projection_dim)`;
                `"top"`, the last layer, or `"average"`, the mean of all, each `(tokens,
                2 * projection_dim)`. All are float32.
            batch_size: See `embed_sentences`.
            forget_sentences: Whether to leave out the dataset `sentence_to_index`, JSON
                of the number of each sentence. Defaults to False.
            use_sentence_keys: Whether datasets are named by the sentences, in place of
                their numbers, `"0"`, `"1"` and so on; there is no `sentence_to_index`
                then. Defaults to False.

        Raises:
            OSError: if a file can't be read or written, or the disk is full.
            ValueError: if an argument is not as described; if there are empty lines;
                with `use_sentence_keys`, if a sentence comes twice, or can't be a name.

        Example:

        >>> import io, tempfile
        >>> import h5py
        >>> elmo = ElmoEmbedder("tiny_en")
        >>> path = os.path.join(tempfile.mkdtemp(), "elmo_layers.hdf5")
        >>> elmo.embed_file(io.StringIO("the cat sat\\ndogs\\n"), path)
        >>> with h5py.File(path, "r") as file:
        ...     file["0"].shape
        (3, 3, 256)
        """
        check_output_format(output_format)
        check_positive_integer("batch_size", batch_size)
        sentences = read_sentences(input_file, output_file_path)
        layers = self._layers(output_format)
        rows = (sentence.split() for sentence in sentences)
        stream = self._stream(rows, layers, batch_size)
        write_file(
            output_file_path,
            sentences,
            (layers.blocks(outputs, "float32") for outputs in stream),
            layers,
            forget_sentences,
            use_sentence_keys,
        )

    def batch_to_embeddings(
        self, batch: Sequence[Sequence[str]]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Embeds sentences at once, as tensors.

        Args:
            batch: A list of lists of tokens.

        Returns:
            The layers, float32 `(batch, layers, tokens, 2 * projection_dim)`, 0 where
            there is no token; and the mask, boolean `(batch, tokens)`.

        Raises:
            ValueError: if `batch` is not of lists of strings.
        """
        return self._stacked(as_token_lists("batch", batch))

    def reset_states(self) -> None:
        """Starts the next batch from zeros, as a new embedder does.

        Raises:
            ValueError: if it is not `stateful`.
        """
        if self._states is None:
            raise ValueError(
                "`reset_states` needs `stateful=True`. Received: an embedder that "
                "starts every sentence from zeros"
            )
        self._states.reset()

    def _stream(
        self, sentences: Iterable[Sequence[str]], layers: Layers, batch_size: int
    ) -> Iterator[Any]:
        """What `layers.blocks` takes, of each sentence."""
        check_positive_integer("batch_size", batch_size)
        check_sentences("sentences", sentences)
        rows = (
            as_token_list(f"sentences[{number}]", sentence)
            for number, sentence in enumerate(sentences)
        )
        if self._elmo is not None:
            return self._elmo.encode_stream(rows, layers.output_key)
        return self._carried(rows, layers.output_key, batch_size)

    def _carried(
        self, rows: Iterator[list[bytes]], output_key: str | None, batch_size: int
    ) -> Iterator[Any]:
        keys = output_keys(self.bilm.num_layers)
        while batch := list(itertools.islice(rows, batch_size)):
            layers, _ = self._embed(batch)
            arrays = [layer.numpy() for layer in layers]
            for number, row in enumerate(batch):
                outputs = {
                    key: array[number, : len(row)]
                    for key, array in zip(keys, arrays, strict=False)
                }
                yield outputs if output_key is None else outputs[output_key]

    def _embed(self, rows: list[list[bytes]]) -> tuple[list[tf.Tensor], tf.Tensor]:
        """The layers, 0 where there is no token, and the mask `(batch, tokens)`."""
        if not any(rows):  # AllenNLP, too, runs no such batch
            dim, batch = self.bilm.projection_dim, len(rows)
            dims = [dim, *([2 * dim] * self.bilm.num_layers)]
            layers = [tf.zeros((batch, 0, dim)) for dim in dims]
            return layers, tf.zeros((batch, 0), "bool")
        encoded = self._preprocessor(rows)
        layers = self._run_bilm(encoded, packed=True)
        mask = length_mask(encoded, sentence_boundaries=True)
        keep = tf.cast(mask, tf.float32)[..., None]
        return [layer[:, 1:-1] * keep for layer in layers], mask

    def _stacked(self, rows: list[list[bytes]]) -> tuple[tf.Tensor, tf.Tensor]:
        (word_emb, *lstm_outputs), mask = self._embed(rows)
        doubled = tf.concat([word_emb, word_emb], axis=-1)
        return tf.stack([doubled, *lstm_outputs], axis=1), mask

    def _layers(self, output_format: str) -> Layers:
        return Layers(output_format, self.bilm.num_layers, self.bilm.projection_dim)
