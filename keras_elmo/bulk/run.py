"""One run: which shards are left, each of them, and the end."""

import collections
import contextlib
import dataclasses
import functools
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.bulk.fingerprint import fingerprint
from keras_elmo.bulk.formats import Contents, Layout, Sentence, ShardReader
from keras_elmo.bulk.layers import Layers
from keras_elmo.bulk.manifest import Manifest, checksum, checksums
from keras_elmo.bulk.output import Output
from keras_elmo.bulk.plan import Plan, read_lines
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.files.atomic import replacing
from keras_elmo.files.paths import remove_tree
from keras_elmo.files.run_record import check_unchanged
from keras_elmo.text.sentences import token_lists
from keras_elmo.version import __version__


class Run:
    """The work on one output, of which other processes may do a part.

    Args:
        elmo: The embedding.
        source: The text.
        plan: Where its shards are.
        output: Where to write.
        manifest: What the output is made of; its shards have checksums as far as an
            earlier manifest told them.
        layers: What to store.
        max_tokens: Tokens of a batch, or None.
    """

    def __init__(
        self,
        elmo: ElmoEmbedding,
        source: TextSource,
        plan: Plan,
        output: Output,
        manifest: Manifest,
        layers: Layers,
        max_tokens: int | None,
    ):
        self.elmo = elmo
        self.source = source
        self.plan = plan
        self.output = output
        self.manifest = manifest
        self.layers = layers
        self._limits = {} if max_tokens is None else {"max_tokens": max_tokens}
        self._is_complete = output.is_complete(manifest)

    def shards_of(self, remainder: int, divisor: int) -> list[int]:
        """The numbers of the shards that are a share's."""
        return list(range(remainder, len(self.manifest.shards), divisor))

    def unfinished(self, remainder: int, divisor: int) -> list[int]:
        """The numbers of the shards of a share that are not there, or are damaged."""
        if self._is_complete:
            return []
        numbers = self.shards_of(remainder, divisor)
        return [number for number in numbers if not self._is_intact(number)]

    def damaged(self, work: Sequence[int]) -> list[Any]:
        """The paths of what is there of shards that have to be computed.

        Args:
            work: The numbers of these shards. If all shards make one file, it counts
                too, because it would have been enough.
        """
        paths = [self.output.shard_path(number) for number in work]
        if work and self.output.format.assemble:
            paths.append(self.output.path)
        return [path for path in paths if path.exists()]

    @functools.cached_property
    def _weights(self) -> str:
        return fingerprint(self.elmo)

    def check_same_here(self) -> None:
        """Refuses to go on in a process that would write other bytes.

        Raises:
            ValueError: if weights or versions are not those of the manifest.
        """
        here = {"weights": self._weights, **versions(self.output)}
        expected = {name: self.manifest.run[name] for name in here}
        check_unchanged(self.output.path, expected, here)

    def tokens_of(self, number: int) -> Iterator[list[bytes]]:
        """The tokens of each line of a shard."""
        lines = read_lines(self.source, self.plan, number)
        return token_lists(lines, self.elmo.tokenizer)

    def start(self, work: Sequence[int]) -> None:
        """Records what the run is, for those that go on with it.

        Args:
            work: The shards to compute.
        """
        if not work and not self.output.format.assemble:
            self._is_complete = self._is_complete or self.output.has_ended()
        if not self._is_complete and not self.output.plan_path.is_file():
            self.manifest.write(self.output.plan_path)

    def embed(self, number: int, embedded: Callable[[int], None]) -> None:
        """Computes a shard, which is there whole or not at all.

        Args:
            number: Its number.
            embedded: Told how many more tokens are embedded.
        """
        path, layout = self.output.shard_path(number), self.manifest.layout(number)
        tokens = self.tokens_of(number)
        sentences = self._sentences(tokens, layout.array_dtype, embedded)
        self.output.discard(number)
        with _errors_that_tell(path), replacing(path) as temporary:
            self.output.format.write(Path(temporary), layout, sentences)
            files = checksums(self.output.format.files(Path(temporary)))
        self.output.record(number, files)

    def finish(self) -> bool:
        """Makes the output complete if all shards are there, and returns whether."""
        if self._is_complete:
            return True
        # Several processes may find all shards, but one has to do what is left.
        with self.output.lock():
            is_done = self.output.has_ended() or self._finish()
        if is_done:
            self.output.remove_lock()
        return is_done

    def _finish(self) -> bool:
        shards = []
        for number, shard in enumerate(self.manifest.shards):
            recorded = self.output.recorded(number, shard)
            if recorded is None:
                # Where there are no locks, another process may have finished by now.
                return self.output.has_ended()
            shards.append(recorded)
        manifest = dataclasses.replace(self.manifest, shards=shards)
        if self.output.format.assemble:
            manifest = self._assemble(manifest)
        manifest.write(self.output.manifest_path)
        self.output.plan_path.unlink(missing_ok=True)
        self.output.remove_traces()
        if self.output.format.assemble:
            remove_tree(self.output.folder)
        return True

    def _assemble(self, manifest: Manifest) -> Manifest:
        """Makes one file of all shards; their checksums become those in it."""
        path, assemble = self.output.path, self.output.format.assemble
        with _errors_that_tell(path), replacing(path) as temporary:
            hashes = assemble(Path(temporary), self._contents())  # type: ignore
        shards = [
            dataclasses.replace(shard, files={}, vectors=vectors)
            for shard, vectors in zip(manifest.shards, hashes, strict=True)
        ]
        files = {"file": checksum(path)}
        return dataclasses.replace(manifest, shards=shards, files=files)

    def _contents(self) -> Iterator[Contents]:
        for number in range(len(self.manifest.shards)):
            layout = self.manifest.layout(number)
            shard = self.output.open(number, layout)

            def array(
                index: int, layout: Layout = layout, shard: ShardReader = shard
            ) -> np.ndarray:
                return layout.array(shard.vectors(index))

            yield Contents(array, read_lines(self.source, self.plan, number))

    def _sentences(
        self,
        sentences: Iterator[list[bytes]],
        dtype: str,
        embedded: Callable[[int], None],
    ) -> Iterator[Sentence]:
        # The embedding reads ahead, so tokens wait for their vectors.
        waiting: collections.deque[list[bytes]] = collections.deque()

        def read_ahead() -> Iterator[list[bytes]]:
            for tokens in sentences:
                waiting.append(tokens)
                yield tokens

        stream: Any = self.elmo.encode_stream(
            read_ahead(), output_key=self.layers.output_key, **self._limits
        )
        for outputs in stream:
            tokens = waiting.popleft()
            yield Sentence(tokens, _finite(self.layers.blocks(outputs, dtype)))
            embedded(len(tokens))

    def _is_intact(self, number: int) -> bool:
        shard = self.output.recorded(number, self.manifest.shards[number])
        return shard is not None and self.output.is_intact(number, shard)


def versions(output: Output) -> dict[str, str]:
    """The versions of what decides the bytes of an output."""
    library = output.format.library
    return {
        "keras_elmo": __version__,
        "tensorflow": tf.__version__,
        library: importlib.metadata.version(library),
    }


def _finite(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Refuses what would be noticed long after all of a corpus is embedded."""
    for block in blocks:
        if not np.isfinite(block).all():
            raise FloatingPointError(
                "Vectors should be finite. Received: some that are not, which comes of "
                "damaged weights. Look at these by `keras-elmo verify`"
            )
        yield block


@contextlib.contextmanager
def _errors_that_tell(path: Any) -> Iterator[None]:
    """Adds the path to errors of writing, and what to do about a full disk."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror or error}. Finished shards are kept: mend the cause, and "
            "give the same command with --resume",
            str(path),
        ) from error
