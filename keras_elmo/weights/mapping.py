"""Applies a table of names: file tensors to biLM variables, and back."""

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from keras.ops import convert_to_numpy


@dataclasses.dataclass(frozen=True)
class LazyArray:
    """A tensor of a file, of which just those rows are read that are asked for."""

    shape: tuple[int, ...]
    read: Callable[[slice | EllipsisType], np.ndarray]

    def __getitem__(self, rows: slice | EllipsisType) -> np.ndarray:
        return self.read(rows)


Arrays = Mapping[str, np.ndarray | LazyArray]
Shapes = Mapping[str, tuple[int, ...]]


class Layout(NamedTuple):
    """How a tensor is laid out in the file: two inverse functions."""

    from_file: Callable[[np.ndarray], np.ndarray]
    to_file: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda array: array, lambda array: array)


class Entry(NamedTuple):
    """A line of a table: one tensor of a file and the variables it fills.

    Both names are patterns with fields such as `{layer}`. A tensor that fills
    several variables holds them one below the other, along its first axis. All have
    one layout, or each its own.
    """

    stored_name: str
    variables: tuple[str, ...]
    layout: Layout | tuple[Layout, ...] = SAME

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layout of each variable."""
        if isinstance(self.layout, Layout):
            return (self.layout,) * len(self.variables)
        return self.layout


def expand(table: Iterable[Entry], variables: Collection[str]) -> list[Entry]:
    """The lines of `table` for a model that has just these `variables`.

    Fields take the values that they have in the names of variables, so that a line
    about a part that the model lacks expands to nothing.
    """
    expanded = []
    for entry in table:
        pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>\\d+)", entry.variables[0]))
        for found in filter(None, map(pattern.fullmatch, variables)):
            fields = found.groupdict()
            names = tuple(name.format(**fields) for name in entry.variables)
            if all(name in variables for name in names):
                name = entry.stored_name.format(**fields)
                expanded.append(Entry(name, names, entry.layout))
    return expanded


def check(table: Iterable[Entry], arrays: Arrays, shapes: Shapes, origin: str) -> None:
    """Refuses arrays that do not fit variables of these shapes, unread.

    Args:
        table: The format's names.
        arrays: The tensors of the file by the file's names.
        shapes: The shapes of the model's variables by our names.
        origin: What to call the file in an error.

    Raises:
        ValueError: naming all tensors that are missing, unexpected, of another
            shape, or not finite.
    """
    entries = expand(table, shapes)
    expected = {entry.stored_name: _file_shape(entry, shapes) for entry in entries}
    problems = _problems(expected, arrays)
    if not problems:
        return
    # The file is refused anyway: tensors that are not finite are named too, so that one
    # error tells all.
    problems += [
        _not_finite(name)
        for name, shape in expected.items()
        if name in arrays
        and tuple(arrays[name].shape) == shape
        and not _is_finite(arrays[name][:])
    ]
    raise ValueError(
        f"The weights in `{origin}` do not fit the model that is described beside "
        "them; nothing was loaded. Check that both belong together.\nReceived:\n"
        + "\n".join(f"  {problem}" for problem in problems)
    )


def apply(
    table: Iterable[Entry],
    arrays: Arrays,
    variables: Mapping[str, Any],
    origin: str,
    allow_nan: bool = False,
) -> None:
    """Assigns every array to its variables, one after the other.

    No array is read twice, and only one at a time, so that loading takes little more
    memory than the model.

    Args:
        table: The format's names.
        arrays: The tensors of the file by the file's names.
        variables: The model's `keras.Variable`s by our names.
        origin: What to call the file in an error.
        allow_nan: Whether to accept NaN and infinity. Defaults to False.

    Raises:
        ValueError: see `check`, in which case nothing is assigned; or naming the
            tensors that are not finite, when all others have been.
    """
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    check(table, arrays, shapes, origin)
    # `_assign` drops each array when it returns, before the next is read.
    problems = [
        _not_finite(entry.stored_name)
        for entry in expand(table, shapes)
        if not _assign(entry, arrays, variables, allow_nan)
    ]
    if problems:
        raise ValueError(
            f"The weights in `{origin}` should be finite. If they are as they should "
            "be, pass `allow_nan=True`.\nReceived:\n"
            + "\n".join(f"  {problem}" for problem in problems)
        )


def _assign(
    entry: Entry, arrays: Arrays, variables: Mapping[str, Any], allow_nan: bool
) -> bool:
    """Assigns one array to its variables, unless it is not finite."""
    if len(entry.variables) == 1:
        places = [slice(None)]
    else:
        shapes = {name: tuple(variables[name].shape) for name in entry.variables}
        rows = [shape[0] for shape in _part_shapes(entry, shapes)]
        ends = np.cumsum(rows).tolist()
        places = [slice(end - n, end) for n, end in zip(rows, ends, strict=True)]
    for name, place, layout in zip(entry.variables, places, entry.layouts, strict=True):
        part = layout.from_file(arrays[entry.stored_name][place])
        if not allow_nan and not _is_finite(part):
            return False
        variables[name].assign(part)
        del part  # frees its memory before the next is read
    return True


def collect(
    table: Iterable[Entry], variables: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The inverse of `apply`: the file's tensors by the file's names."""
    return {
        entry.stored_name: np.concatenate(
            [
                layout.to_file(as_float(variables[name]))
                for name, layout in zip(entry.variables, entry.layouts, strict=True)
            ]
        )
        for entry in expand(table, variables)
    }


def as_float(variable: Any) -> np.ndarray:
    """A variable's value, in a type that files have."""
    array = convert_to_numpy(variable)
    # NumPy itself, and so HDF5, has no bfloat16.
    return array if array.dtype.kind == "f" else array.astype("float32")


def _problems(expected: Shapes, arrays: Arrays) -> list[str]:
    missing = [
        f"missing: {name} {shape}"
        for name, shape in expected.items()
        if name not in arrays
    ]
    unexpected = [
        f"unexpected: {name} {tuple(arrays[name].shape)}"
        for name in sorted(arrays)
        if name not in expected
    ]
    shapes = [
        f"shape: {name} should be {shape}, is {tuple(arrays[name].shape)}"
        for name, shape in expected.items()
        if name in arrays and tuple(arrays[name].shape) != shape
    ]
    return missing + unexpected + shapes


def _not_finite(name: str) -> str:
    return f"values: {name} holds NaN or infinity, or what is too large for float32"


def _is_finite(array: np.ndarray) -> bool:
    if not array.size:
        return True
    # Both keep NaN and infinity, and neither needs memory of the array's size.
    with np.errstate(over="ignore", invalid="ignore"):
        extremes = np.array([array.min(), array.max()]).astype("float32")
    return bool(np.isfinite(extremes).all())


def _file_shape(entry: Entry, shapes: Shapes) -> tuple[int, ...]:
    parts = _part_shapes(entry, shapes)
    if len(parts) == 1:
        return parts[0]
    return (sum(shape[0] for shape in parts), *parts[0][1:])


def _part_shapes(entry: Entry, shapes: Shapes) -> list[tuple[int, ...]]:
    """The shapes that the variables of one tensor have in the file."""
    return [
        # Broadcasting a number gives the shape without the memory.
        layout.to_file(np.broadcast_to(np.float32(0), shapes[name])).shape
        for name, layout in zip(entry.variables, entry.layouts, strict=True)
    ]
