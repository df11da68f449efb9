"""What the help texts of all commands and examples have in common."""

import argparse

WEIGHTS = (
    "a preset (its name, folder or address), the folder or archive of a TF-Hub module, "
    "of simple_elmo or of bilm-tf's training; or options.json and weights.hdf5"
)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Tells an argument's default, except where there is none to tell."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)
