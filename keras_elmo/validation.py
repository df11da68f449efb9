"""Checks of constructor arguments, with one wording for all of them."""


def check_positive_integer(name: str, value: object) -> int:
    """`value` if it is an integer above zero (`True` is not one)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"`{name}` should be a positive integer. "
            f"Received: {name}={value!r} (of type {type(value).__name__})"
        )
    return value


def check_clip(name: str, value: float | None) -> float | None:
    """`value` if it is a positive number, or None for 'do not clip'."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(
            f"`{name}` should be a positive number, or None to leave values "
            f"unclipped. Received: {name}={value!r}"
        )
    return float(value)


def check_choice(name: str, value: object, choices: tuple) -> object:
    """`value` if it is one of `choices`.

    Compared by type as well: `1 == True` in Python, but not to a user.
    """
    if not any(value == c and type(value) is type(c) for c in choices):
        expected = ", ".join(repr(choice) for choice in choices)
        raise ValueError(
            f"`{name}` should be one of: {expected}. Received: {name}={value!r}"
        )
    return value
