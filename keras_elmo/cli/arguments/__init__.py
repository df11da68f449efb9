"""The arguments of each subcommand, a module each.

None of them imports TensorFlow, so that `--help` is quick.
"""

# In the order in which `--help` names them.
COMMANDS = (
    "info",
    "verify",
    "convert",
    "export",
    "embed",
    "elmo",
    "train",
    "evaluate",
    "score",
    "project",
)
