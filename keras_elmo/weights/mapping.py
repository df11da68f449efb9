"""Applies a table of names: file tensors to biLM variables, and back."""

import itertools
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from keras.ops import convert_to_numpy

Arrays = Mapping[str, np.ndarray]


class Layout(NamedTuple):
    """How a tensor is laid out in the file: two inverse functions."""

    from_file: Callable[[np.ndarray], np.ndarray]
    to_file: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda array: array, lambda array: array)


class Entry(NamedTuple):
    """A line of a table: one tensor of a file and the variables it fills.

    Both names are patterns with fields such as `{layer}`. A tensor that fills
    several variables holds them one below the other, along its first axis.
    """

    source: str
    variables: tuple[str, ...]
    layout: Layout = SAME


def expand(table: Iterable[Entry], variables: Mapping[str, Any]) -> list[Entry]:
    """The lines of `table` for a model that has just these `variables`.

    Fields run over 0, 1, 2, ... as far as there are such variables, so that a
    line about a part that the model lacks expands to nothing.
    """
    expanded = []
    for entry in table:
        fields = sorted(
            {f for _, f, _, _ in string.Formatter().parse(entry.source) if f}
        )
        for numbers in itertools.product(range(len(variables)), repeat=len(fields)):
            values = dict(zip(fields, map(str, numbers), strict=True))
            names = tuple(name.format(**values) for name in entry.variables)
            if all(name in variables for name in names):
                source = entry.source.format(**values)
                expanded.append(Entry(source, names, entry.layout))
    return expanded


def apply(
    table: Iterable[Entry], arrays: Arrays, variables: Mapping[str, Any], origin: str
) -> None:
    """Assigns every array to its variables, or nothing at all.

    Args:
        table: The format's names.
        arrays: The tensors of the file by the file's names.
        variables: The model's `keras.Variable`s by our names.
        origin: What to call the file in an error.

    Raises:
        ValueError: naming all tensors that are missing, unexpected, of another
            shape, or not finite.
    """
    entries = expand(table, variables)
    problems = _problems(entries, arrays, variables)
    if problems:
        raise ValueError(
            f"The weights in `{origin}` do not fit the model that the options "
            "describe; nothing was loaded. Check that both files belong together."
            "\nReceived:\n" + "\n".join(f"  {problem}" for problem in problems)
        )
    for entry in entries:
        rows = [variables[name].shape[0] for name in entry.variables]
        joined = entry.layout.from_file(arrays[entry.source])
        parts = np.split(joined, np.cumsum(rows)[:-1])
        for name, part in zip(entry.variables, parts, strict=True):
            variables[name].assign(part)


def collect(
    table: Iterable[Entry], variables: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The inverse of `apply`: the file's tensors by the file's names."""
    return {
        entry.source: entry.layout.to_file(
            np.concatenate([as_float(variables[name]) for name in entry.variables])
        )
        for entry in expand(table, variables)
    }


def as_float(variable: Any) -> np.ndarray:
    """A variable's value, in a type that files have."""
    array = convert_to_numpy(variable)
    # NumPy itself, and so HDF5, knows no bfloat16.
    return array if array.dtype.kind == "f" else array.astype("float32")


def _problems(
    entries: list[Entry], arrays: Arrays, variables: Mapping[str, Any]
) -> list[str]:
    expected = {entry.source: _file_shape(entry, variables) for entry in entries}
    missing = [
        f"missing: {name} {shape}"
        for name, shape in expected.items()
        if name not in arrays
    ]
    unexpected = [
        f"unexpected: {name} {arrays[name].shape}"
        for name in sorted(arrays)
        if name not in expected
    ]
    common = [name for name in expected if name in arrays]
    shapes = [
        f"shape: {name} should be {expected[name]}, is {arrays[name].shape}"
        for name in common
        if arrays[name].shape != expected[name]
    ]
    values = [
        f"values: {name} holds NaN or infinity, or what is too large for float32"
        for name in common
        if not _is_finite(arrays[name])
    ]
    return missing + unexpected + shapes + values


def _is_finite(array: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.isfinite(array.astype("float32")).all())


def _file_shape(entry: Entry, variables: Mapping[str, Any]) -> tuple[int, ...]:
    shapes = [tuple(variables[name].shape) for name in entry.variables]
    joined = (sum(shape[0] for shape in shapes), *shapes[0][1:])
    # Broadcasting a number gives the shape without the memory.
    return entry.layout.to_file(np.broadcast_to(np.float32(0), joined)).shape
