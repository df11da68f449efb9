import argparse
import importlib

from keras_elmo.cli.arguments import COMMANDS
from keras_elmo.cli.help import HelpFormatter
from keras_elmo.version import __version__


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    parser = argparse.ArgumentParser(prog="keras-elmo", description="ELMo in Keras.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        arguments = importlib.import_module(f"keras_elmo.cli.arguments.{name}")
        command = commands.add_parser(
            name,
            help=arguments.DESCRIPTION.splitlines()[0],
            description=arguments.DESCRIPTION,
            formatter_class=HelpFormatter,
        )
        arguments.add_arguments(command)
    return parser
