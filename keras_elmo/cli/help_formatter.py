"""The layout of the help texts of all subcommands."""

import argparse


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Tells an argument's default, except where there is none to tell."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)
