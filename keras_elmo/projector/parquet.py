"""A table of points, for embedding-atlas, pandas and others."""

import os

from keras_elmo.bulk.formats.parquet import import_pyarrow
from keras_elmo.files.atomic import replacing
from keras_elmo.plots import principal_components
from keras_elmo.projector.points import Points


def write_parquet(path: str | os.PathLike, points: Points) -> None:
    """Writes the columns `text`, `label`, `x` and `y`, and the list `vector`.

    `x` and `y` are the principal components: `embedding-atlas NAME.parquet --text text
    --x x --y y` shows them, and without the latter computes places of its own.

    Args:
        path: File to write, or to replace.
        points: What to show.

    Raises:
        ImportError: if pyarrow is not installed.
        OSError: if the file can't be written.
    """
    pyarrow, parquet = import_pyarrow()
    x, y = principal_components(points.vectors).T
    columns = {
        "text": points.texts,
        "label": points.labels,
        "x": x,
        "y": y,
        "vector": list(points.vectors),
    }
    with replacing(path) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)
