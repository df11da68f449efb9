"""`python -m keras_elmo.examples.imdb`."""

import sys

from keras_elmo.examples.imdb.arguments import parse


def main(arguments: list[str] | None = None) -> None:
    """Runs the script; mistakes of the user end in one line, not a traceback."""
    args = parse(arguments)
    import tensorflow as tf

    from keras_elmo.examples.imdb.experiment import run

    # Errors of such kinds come from what the user gave or from the machine.
    expected_errors = (
        ValueError,
        OSError,
        ImportError,
        FloatingPointError,
        tf.errors.OpError,
    )
    try:
        run(args)
    except expected_errors as error:
        sys.exit(f"imdb: {error}")


if __name__ == "__main__":
    main()
