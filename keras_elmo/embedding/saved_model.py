import os

import keras
import tensorflow as tf

from keras_elmo.files.atomic import replacing


def export_saved_model(elmo, folder: str | os.PathLike) -> None:
    """Writes a SavedModel with the signatures `default` and `tokens`.

    See `ElmoEmbedding.export`.
    """
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
    with replacing(folder) as temporary:
        archive.write_out(temporary, verbose=False)
