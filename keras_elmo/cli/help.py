"""What the help texts of all commands and examples have in common."""

import argparse

from keras_elmo.weights import WEIGHTS

__all__ = ["WEIGHTS", "HelpFormatter"]


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Tells an argument's default, except where there is none to tell."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)
