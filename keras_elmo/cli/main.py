import argparse
import os
import sys
from collections.abc import Sequence

import tensorflow as tf

from keras_elmo.cli import convert, evaluate, info, train, verify
from keras_elmo.cli.help_formatter import HelpFormatter
from keras_elmo.version import __version__

_COMMANDS = {
    "info": info,
    "verify": verify,
    "convert": convert,
    "train": train,
    "evaluate": evaluate,
}

# These errors come from what the user gave or from the machine, so that one line tells
# more than a traceback.
_EXPECTED_ERRORS = (
    ValueError,
    OSError,
    ImportError,
    FloatingPointError,
    tf.errors.OpError,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one subcommand; mistakes of the user end in one line, not a traceback."""
    parser = argparse.ArgumentParser(prog="keras-elmo", description="ELMo in Keras.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in _COMMANDS.items():
        summary = module.__doc__ or ""
        command = commands.add_parser(
            name,
            help=summary.splitlines()[0],
            description=summary,
            formatter_class=HelpFormatter,
        )
        module.add_arguments(command)
    args = parser.parse_args(arguments)
    name = vars(args).pop("command")
    try:
        _COMMANDS[name].run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        sys.exit(1)
    except _EXPECTED_ERRORS as error:
        sys.exit(f"keras-elmo {name}: {error}")


def _discard_output() -> None:
    """Keeps Python from a second error when it flushes standard output at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
