"""Files of TensorBoard's projector, which projector.tensorflow.org loads too."""

import os
from pathlib import Path

from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_folder
from keras_elmo.projector.points import Points

_CONFIG = "projector_config.pbtxt"
_VECTORS = "vectors.tsv"
_METADATA = "metadata.tsv"
_CONFIG_TEXT = f"""\
embeddings {{
  tensor_name: "keras_elmo"
  tensor_path: "{_VECTORS}"
  metadata_path: "{_METADATA}"
}}
"""


def write_tensorboard(
    folder: str | os.PathLike, points: Points, overwrite: bool = False
) -> None:
    """Writes a folder for `tensorboard --logdir`, without TensorBoard.

    Args:
        folder: Folder to write: new, or empty.
        points: What to show.
        overwrite: Whether to replace a folder that this function wrote. Defaults to
            False.

    Raises:
        FileExistsError: if such a folder is there, without `overwrite`.
        OSError: if a file can't be written.
        ValueError: if the folder holds something else.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "points"
    >>> write_tensorboard(folder, Points([[0.0, 1.0]], ["a cat"], ["pets"]))
    >>> print((folder / "metadata.tsv").read_text().replace("\\t", "|").strip())
    text|label
    a cat|pets
    """
    check_projector(folder, overwrite)
    vectors = ("\t".join(f"{x:.6g}" for x in vector) for vector in points.vectors)
    columns = zip(points.texts, points.labels, strict=True)
    rows = ("\t".join(" ".join(cell.split()) for cell in row) for row in columns)
    with replacing(folder) as temporary:
        Path(temporary).mkdir()
        for name, lines in (
            (_VECTORS, vectors),
            (_METADATA, ["text\tlabel", *rows]),
            (_CONFIG, _CONFIG_TEXT.splitlines()),
        ):
            text = "".join(f"{line}\n" for line in lines)
            (Path(temporary) / name).write_text(text, encoding="utf-8")


def check_projector(folder: str | os.PathLike, overwrite: bool) -> None:
    """Refuses what `write_tensorboard` would."""
    check_folder(folder, _CONFIG, "a folder of a projector", overwrite)
    if Path(folder).is_dir():
        others = {path.name for path in Path(folder).iterdir()}
        others -= {_CONFIG, _VECTORS, _METADATA}
        if others:  # TensorBoard's own logs may lie beside the configuration
            raise ValueError(
                "`folder` should hold a projector's files alone. Received: "
                f"{os.fspath(folder)!r} with {sorted(others)[:5]}. Choose another"
            )
