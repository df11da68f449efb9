"""A table of points, for embedding-atlas, pandas and others."""

import os
from types import ModuleType

from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_file
from keras_elmo.files.optional import import_optional
from keras_elmo.principal_components import principal_components
from keras_elmo.projector.points import Points


def write_parquet(
    path: str | os.PathLike, points: Points, overwrite: bool = False
) -> None:
    """Writes the columns `text`, `label`, `x` and `y`, and the list `vector`.

    `x` and `y` are the principal components: `embedding-atlas NAME.parquet --text text
    --x x --y y` shows them, and without the latter computes places of its own.

    Args:
        path: File to write.
        points: What to show.
        overwrite: Whether to replace a file that is there. Defaults to False.

    Raises:
        FileExistsError: if the file is there, without `overwrite`.
        ModuleNotFoundError: if pyarrow is not installed.
        OSError: if the file can't be written.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "points.parquet"
    >>> write_parquet(path, Points([[0.0, 1.0]], ["a cat"], ["pets"]))
    >>> path.read_bytes()[:3]
    b'PAR'
    """
    pyarrow = import_pyarrow()
    check_file("path", path, overwrite)
    x, y = principal_components(points.vectors).T
    columns = {
        "text": points.texts,
        "label": points.labels,
        "x": x,
        "y": y,
        "vector": list(points.vectors),
    }
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)


def import_pyarrow() -> ModuleType:
    """`pyarrow`, with `pyarrow.parquet`.

    Raises:
        ModuleNotFoundError: if it is not installed; it tells how to install it.
    """
    import_optional("pyarrow.parquet", "project", "Parquet files")
    return import_optional("pyarrow", "project", "Parquet files")
