import os
from pathlib import Path

import keras
import tensorflow as tf

from keras_elmo.atomic import replacing


def export_saved_model(elmo, folder: str | os.PathLike) -> None:
    """Writes a SavedModel with the signatures `default` and `tokens`.

    See `ElmoEmbedding.export`.
    """
    target = Path(folder)
    is_empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not is_empty and not (target / "saved_model.pb").is_file():
        raise ValueError(
            "`folder` should be new, empty, or a SavedModel to replace. Received: "
            f"folder={os.fspath(folder)!r}, which holds something else"
        )
    archive = keras.export.ExportArchive()
    archive.track(elmo)
    archive.add_endpoint(
        name="default",
        fn=lambda strings: elmo(strings),
        input_signature=[tf.TensorSpec([None], tf.string, name="strings")],
    )
    archive.add_endpoint(
        name="tokens",
        fn=lambda tokens, sequence_len: elmo(
            {"tokens": tokens, "sequence_len": sequence_len}
        ),
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="tokens"),
            tf.TensorSpec([None], tf.int32, name="sequence_len"),
        ],
    )
    with replacing(target) as temporary:
        archive.write_out(temporary, verbose=False)
