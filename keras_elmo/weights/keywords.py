"""Keyword arguments that are passed on to the constructor of a Keras layer."""

import difflib
import inspect
from collections.abc import Iterable


def check_keywords(
    model_class: type, names: Iterable[str], others: Iterable[str] = ()
) -> None:
    """Refuses a keyword that the constructor of a layer does not take.

    Args:
        model_class: The class of the layer.
        names: The keywords that a caller passed.
        others: Keywords that are taken besides the constructor's. Defaults to none.

    Raises:
        ValueError: if one of `names` is unknown; it says which one was probably meant.
    """
    taken = {*_constructor_keywords(model_class), *others}
    for name in names:
        if name not in taken:
            near = difflib.get_close_matches(name, taken, n=1)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            raise ValueError(
                f"`{name}` is no argument of {model_class.__name__}. Expected one of "
                f"{sorted(taken)}. Received: {name}=....{meant}"
            )


def _constructor_keywords(model_class: type) -> set[str]:
    """The parameters of the constructor and, behind its `**kwargs`, of the bases'."""
    parameters = [
        parameter
        for base in model_class.__mro__
        if "__init__" in vars(base)
        for parameter in inspect.signature(vars(base)["__init__"]).parameters.values()
    ]
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name for p in parameters if p.kind in kinds} - {"self"}
