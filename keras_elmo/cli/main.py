import importlib
import os
import sys
from collections.abc import Sequence

from keras_elmo.cli.parser import make_parser
from keras_elmo.startup import quiet_import


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one subcommand; mistakes of the user end in one line, not a traceback."""
    args = make_parser().parse_args(arguments)
    name = vars(args).pop("command")
    with quiet_import():
        import tensorflow as tf

        command = importlib.import_module(f"keras_elmo.cli.{name}")
    # Errors of such kinds come from what the user gave or from the machine, so that one
    # line tells more than a traceback.
    expected_errors = (
        ValueError,
        OSError,
        ImportError,
        FloatingPointError,
        tf.errors.OpError,
    )
    try:
        command.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        sys.exit(1)
    except expected_errors as error:
        sys.exit(f"keras-elmo {name}: {error}")


def _discard_output() -> None:
    """Keeps Python from a second error when it flushes standard output at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
