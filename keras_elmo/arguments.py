"""Checks of constructor arguments, with one wording for all of them."""

import math
import operator
from collections.abc import Callable
from typing import Any

import keras


def check_positive_integer(name: str, value: object) -> int:
    """`value` if it is an integer above zero (`True` is not one)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"`{name}` should be a positive integer. "
            f"Received: {name}={value!r} (of type {type(value).__name__})"
        )
    return value


def check_positive_number(name: str, value: float) -> float:
    """`value` if it is a finite number above zero."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < math.inf
    ):
        raise ValueError(
            f"`{name}` should be a number above 0. Received: {name}={value!r}"
        )
    return value


def check_boolean(name: str, value: object) -> bool:
    """`value` if it is True or False."""
    return bool(check_choice(name, value, (True, False)))


def check_rate(name: str, value: float) -> float:
    """`value` if it is a rate of dropout: 0, or a number between 0 and 1."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < 1
    ):
        raise ValueError(
            f"`{name}` should be a number from 0 up to, not including, 1. "
            f"Received: {name}={value!r}"
        )
    return value


def check_activation(name: str, value: object) -> Callable:
    """The Keras activation that `value` names, or `value` itself if it is one."""
    try:
        return keras.activations.get(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'`{name}` should be the name of a Keras activation, such as "relu" or '
            f'"tanh", or a function. Received: {name}={value!r}'
        ) from error


def check_clip(name: str, value: float | None) -> float | None:
    """`value` if it is a positive number, or None, which means not to clip."""
    if value is None:
        return None
    try:
        return float(check_positive_number(name, value))
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"`{name}` should be a positive number, or None to leave values "
            f"unclipped. Received: {name}={value!r}"
        ) from error


def check_filters(name: str, value: object, max_characters: int) -> list[list[int]]:
    """`value` as a list of `[width, number of filters]`, if it is one."""
    try:
        pairs = [
            list(map(_as_integer, (width, count)))
            for width, count in value  # type: ignore[attr-defined]
        ]
    except (TypeError, ValueError):  # raised unless these are pairs of integers
        pairs = []
    if not pairs or any(
        count < 1 or not 1 <= width <= max_characters for width, count in pairs
    ):
        raise ValueError(
            f"`{name}` should be a non-empty list of [width, number of filters] "
            f"pairs, with widths in 1..{max_characters} (`max_characters`). "
            f"Received: {name}={value!r}"
        )
    return pairs


def _as_integer(value: object) -> int:
    if isinstance(value, bool):
        raise TypeError("a boolean is no integer")
    return operator.index(value)  # type: ignore[arg-type]


def check_choice(name: str, value: Any, choices: tuple) -> Any:
    """`value` if it is one of `choices`.

    Types are compared as well: `1 == True` in Python, but users mean different things.
    """
    if not any(value == c and type(value) is type(c) for c in choices):
        expected = ", ".join(repr(choice) for choice in choices)
        raise ValueError(
            f"`{name}` should be one of: {expected}. Received: {name}={value!r}"
        )
    return value
