"""How vectors are stored, a module a format."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from keras_elmo.bulk.formats import hdf5, npy, parquet
from keras_elmo.bulk.formats.shard import (
    Contents,
    Layout,
    Sentence,
    ShardReader,
    array_dtype,
)

__all__ = [
    "DTYPES",
    "FORMATS",
    "Contents",
    "Format",
    "Layout",
    "Sentence",
    "ShardReader",
    "array_dtype",
]


class Format(NamedTuple):
    """How a shard is stored, and what is made of all shards at the end.

    Attributes:
        suffix: What the name of a shard ends with.
        library: The library that writes it.
        dtypes: Names of the dtypes of vectors that it stores.
        files: The files that a shard at a path consists of.
        write: Writes a shard.
        open: Opens a shard for reading.
        assemble: Writes one file of all shards, and returns hashes of the vectors of
            each. Or None: the shards are the output.
    """

    suffix: str
    library: str
    dtypes: tuple[str, ...]
    files: Callable[[Path], list[Path]]
    write: Callable[[Path, Layout, Iterable[Sentence]], None]
    open: Callable[[Path, Layout], ShardReader]
    assemble: Callable[[Path, Iterable[Contents]], list[str]] | None = None

    def require(self) -> None:
        """Refuses to start without the library.

        Raises:
            ImportError: if it is not installed; it tells how to install it.
        """
        if self.library == "pyarrow":
            parquet.import_pyarrow()


_FLOATS = ("float32", "float16")
DTYPES = (*_FLOATS, "int16")
_NPY = Format("", "numpy", DTYPES, npy.files, npy.write, npy.NpyShard)
FORMATS = {
    "hdf5": _NPY._replace(library="h5py", dtypes=_FLOATS, assemble=hdf5.assemble),
    "parquet": Format(
        ".parquet",
        "pyarrow",
        _FLOATS,
        parquet.files,
        parquet.write,
        parquet.ParquetShard,
    ),
    "npy": _NPY,
}
