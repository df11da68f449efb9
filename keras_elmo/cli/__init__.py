"""The `keras-elmo` command, one module a subcommand."""
