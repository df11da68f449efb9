import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """What a signature takes or returns under one name, as TF-Hub described it.

    Reference: `ParsedTensorInfo` of tensorflow-hub before 0.14.

    Args:
        dtype: A `tf.DType`.
        shape: A `tf.TensorShape`, whose unknown sizes are None.

    Example:

    >>> info = TensorInfo(tf.float32, tf.TensorShape([None, 256]))
    >>> info.get_shape()[1]
    256
    """

    dtype: tf.DType
    shape: tf.TensorShape
    is_sparse = False

    def get_shape(self) -> tf.TensorShape:
        """The shape. Its sizes are plain integers: `[1]`, not `[1].value`."""
        return self.shape
