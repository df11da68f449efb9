"""Pickles of PyTorch's state dicts, interpreted without running anything of them.

A pickle is a program for a machine with a stack. `pickletools` takes it apart, and here
the few steps that a dictionary of tensors needs are taken, on values that are nothing
but numbers, strings and descriptions of tensors. Everything else is refused by name.
"""

import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

MAX_STEPS = 100_000
MAX_AXES = 8
MAX_SIZE = 2**40  # elements, far below where products of sizes would overflow
# A file names the dtype of a storage by one of these classes.
_DTYPES: dict[str, np.dtype] = {
    "HalfStorage": np.dtype("<f2"),
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
}
_ORDERED_DICT = "collections.OrderedDict"
_TENSOR = "torch._utils._rebuild_tensor"
_TENSOR_2 = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"
_STORAGES: dict[str, np.dtype] = {
    f"torch.{name}": dtype for name, dtype in _DTYPES.items()
}
_NAMES = {_ORDERED_DICT, _TENSOR, _TENSOR_2, _PARAMETER, *_STORAGES}


@dataclass(frozen=True)
class Storage:
    """Where the numbers of tensors are.

    Args:
        key: Its name in the file.
        dtype: Of the numbers.
        size: How many there are.
    """

    key: str
    dtype: np.dtype
    size: int


@dataclass(frozen=True)
class StoredTensor:
    """A part of a storage: its rows one after the other, from `offset` on."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Name:
    """Something that a pickle would import."""

    full: str


@dataclass(frozen=True)
class _Mark:
    """What a pickle puts on the stack where several values will follow."""


def read_value(file: IO[bytes]) -> Any:
    """The value of the pickle that starts here, and after which the file then stands.

    Args:
        file: Pickles, in memory: a hostile one may want all of it.

    Returns:
        A number, a string, None, a `StoredTensor`; or tuples, lists and dictionaries
        of these.

    Raises:
        ValueError: naming the first step that a dictionary of tensors does not need.
    """
    machine = _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if count >= MAX_STEPS:
            raise ValueError(f"its pickle takes more than {MAX_STEPS:,} steps")
        if opcode.name not in _STEPS:
            raise ValueError(
                f"its pickle does {opcode.name}, which no dictionary of tensors needs"
            )
        try:
            _STEPS[opcode.name](machine, argument)
        except (IndexError, KeyError) as error:
            raise ValueError(
                f"its pickle does {opcode.name} on what is not there"
            ) from error
    if len(machine.stack) != 1:
        raise ValueError(f"its pickle leaves {len(machine.stack)} values, not one")
    return machine.stack[0]


class _Machine:
    """The stack and the memory of a pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise ValueError("its pickle takes a mark for a value")
        return value

    def pop_to_mark(self) -> list[Any]:
        values = []
        while not isinstance(self.stack[-1], _Mark):
            values.append(self.stack.pop())
        self.stack.pop()
        return values[::-1]

    def put(self, place: int) -> None:
        self.memory[place] = self.stack[-1]

    def get(self, place: int) -> None:
        self.push(self.memory[place])

    def import_(self, name: str) -> None:
        # `pickletools` gives the module and the name with a space between them.
        full = name.replace(" ", ".")
        if full not in _NAMES:
            raise ValueError(
                f"its pickle imports {full[:100]!r}, which may do anything; tensors "
                f"need {sorted(_NAMES)} alone"
            )
        self.push(_Name(full))

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise ValueError("its pickle calls what is no function")
        if function.full == _ORDERED_DICT and not arguments:
            self.push({})
        elif function.full == _PARAMETER and len(arguments) == 3:
            self.push(_checked(arguments[0], StoredTensor, "a tensor"))
        elif function.full in (_TENSOR, _TENSOR_2) and len(arguments) >= 4:
            self.push(_tensor(*arguments[:4]))
        else:
            raise ValueError(
                f"its pickle calls {function.full} with {len(arguments)} arguments"
            )

    def build(self) -> None:
        """Sets attributes: a state dict has `_metadata`, which says nothing of use."""
        state, value = self.pop(), self.pop()
        _checked(state, dict, "a dictionary of attributes")
        self.push(_checked(value, dict, "a dictionary"))

    def find_storage(self) -> None:
        """What a tensor's numbers are said to be: kind, dtype, key, place, size."""
        said = self.pop()
        is_tuple = isinstance(said, tuple) and len(said) in (5, 6)
        if not is_tuple or said[0] != "storage" or said[5:] not in ((), (None,)):
            raise ValueError("its pickle refers to something that is no storage")
        _, kind, key, _, size = said[:5]
        if not isinstance(kind, _Name) or kind.full not in _STORAGES:
            raise ValueError("its pickle refers to a storage of no known type")
        self.push(
            Storage(
                _checked(key, str, "a key"), _STORAGES[kind.full], _checked_size(size)
            )
        )

    def set_items(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError("its pickle sets a key without a value")
        target = _checked(self.stack[-1], dict, "a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_checked(key, str, "a name")] = value

    def extend(self, values: list[Any]) -> None:
        _checked(self.stack[-1], list, "a list").extend(values)


def _checked(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(
            f"its pickle holds a value of type {type(value).__name__} where {what} "
            "should be"
        )
    return value


def _checked_size(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise ValueError("its pickle holds something else where a size should be")
    return value


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> StoredTensor:
    """A tensor whose numbers stand row by row, and all are there."""
    _checked(storage, Storage, "a storage")
    sizes = tuple(map(_checked_size, _checked(shape, tuple, "a shape")))
    steps = tuple(map(_checked_size, _checked(strides, tuple, "strides")))
    if len(sizes) > MAX_AXES or len(steps) != len(sizes):
        raise ValueError(f"a tensor has {len(sizes)} axes and {len(steps)} strides")
    size = 1
    for length, step in zip(reversed(sizes), reversed(steps), strict=True):
        # The stride of an axis of one row says nothing.
        if length > 1 and step != size:
            raise ValueError(
                f"a tensor of shape {sizes} has the strides {steps}; one that is laid "
                "out row by row is needed: save `tensor.contiguous()`"
            )
        size *= length
    if _checked_size(offset) + math.prod(sizes) > storage.size:
        raise ValueError(
            f"a tensor of shape {sizes} is said to start at {offset} of a storage of "
            f"{storage.size:,} numbers"
        )
    return StoredTensor(storage, offset, sizes)


_Step = Callable[[_Machine, Any], Any]
_VALUES: Mapping[str, _Step] = {
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"), _Machine.push
    ),
}
_STEPS: Mapping[str, _Step] = {
    **_VALUES,
    "PROTO": lambda machine, _: None,
    "STOP": lambda machine, _: None,
    "MARK": lambda machine, _: machine.push(_Mark()),
    "GLOBAL": _Machine.import_,
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
    "BINPERSID": lambda machine, _: machine.find_storage(),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "TUPLE1": lambda machine, _: machine.push((machine.pop(),)),
    "TUPLE2": lambda machine, _: machine.push(
        tuple([machine.pop() for _ in range(2)][::-1])
    ),
    "TUPLE3": lambda machine, _: machine.push(
        tuple([machine.pop() for _ in range(3)][::-1])
    ),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.pop_to_mark()),
    "SETITEM": lambda machine, _: machine.set_items(
        [machine.pop() for _ in range(2)][::-1]
    ),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
}
