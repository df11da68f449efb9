"""Libraries that only some of the package needs."""

import importlib
from types import ModuleType


def import_optional(name: str, extra: str, purpose: str) -> ModuleType:
    """Imports a module that need not be installed.

    Args:
        name: The module.
        extra: The extra of this package that installs it.
        purpose: What needs it, for the error.

    Raises:
        ModuleNotFoundError: if it is not installed; it tells how to install it.

    Example:

    >>> import_optional("no_such_module", "plots", "Pictures")
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: Pictures need no_such_module: pip install "keras-elmo[plots]"
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        library = name.partition(".")[0]
        raise ModuleNotFoundError(
            f'{purpose} need {library}: pip install "keras-elmo[{extra}]"'
        ) from error
