"""Which errors end a command in one line."""


def expected_errors() -> tuple[type[Exception], ...]:
    """Kinds that come from what the user gave, or from the machine.

    For these, one line tells more than a traceback.
    """
    import tensorflow as tf

    return ValueError, OSError, ImportError, FloatingPointError, tf.errors.OpError
