import importlib
import os
import sys
from collections.abc import Sequence

from keras_elmo.cli.errors import expected_errors
from keras_elmo.cli.parser import make_parser
from keras_elmo.startup import quiet_import


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one subcommand; mistakes of the user end in one line, not a traceback."""
    args = make_parser().parse_args(arguments)
    name = vars(args).pop("command")
    with quiet_import():
        command = importlib.import_module(f"keras_elmo.cli.{name}")
        mistakes = expected_errors()
    try:
        command.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        sys.exit(1)
    except mistakes as error:
        sys.exit(f"keras-elmo {name}: {error}")


def _discard_output() -> None:
    """Keeps Python from a second error when it flushes standard output at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
