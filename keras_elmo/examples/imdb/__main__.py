"""`python -m keras_elmo.examples.imdb`."""

import sys

from keras_elmo.cli.errors import expected_errors
from keras_elmo.examples.imdb.arguments import parse


def main(arguments: list[str] | None = None) -> None:
    """Runs the script; mistakes of the user end in one line, not a traceback."""
    args = parse(arguments)
    from keras_elmo.examples.imdb.experiment import run

    try:
        run(args)
    except expected_errors() as error:
        sys.exit(f"imdb: {error}")


if __name__ == "__main__":
    main()
