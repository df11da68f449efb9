"""Files of TensorBoard's projector, which projector.tensorflow.org loads too."""

import os
from pathlib import Path

from keras_elmo.files.atomic import replacing
from keras_elmo.projector.points import Points

CONFIG = "projector_config.pbtxt"
_VECTORS = "vectors.tsv"
_METADATA = "metadata.tsv"
_CONFIG_TEXT = f"""\
embeddings {{
  tensor_name: "keras_elmo"
  tensor_path: "{_VECTORS}"
  metadata_path: "{_METADATA}"
}}
"""


def write_tensorboard(folder: str | os.PathLike, points: Points) -> None:
    """Writes a folder for `tensorboard --logdir`, without TensorBoard.

    Args:
        folder: Folder to write, or to replace.
        points: What to show.

    Raises:
        OSError: if a file can't be written.
    """
    vectors = ("\t".join(f"{x:.6g}" for x in vector) for vector in points.vectors)
    columns = zip(points.texts, points.labels, strict=True)
    rows = ("\t".join(" ".join(cell.split()) for cell in row) for row in columns)
    with replacing(folder) as temporary:
        Path(temporary).mkdir()
        for name, lines in (
            (_VECTORS, vectors),
            (_METADATA, ["text\tlabel", *rows]),
            (CONFIG, _CONFIG_TEXT.splitlines()),
        ):
            text = "".join(f"{line}\n" for line in lines)
            (Path(temporary) / name).write_text(text, encoding="utf-8")
