"""Files as `torch.save` writes them, put together by hand, so that any part can lie."""

import struct
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
MACHINE = {"protocol_version": 1001, "little_endian": True}
STORAGES = {"f2": "HalfStorage", "f4": "FloatStorage", "f8": "DoubleStorage"}


@dataclass(frozen=True)
class Import:
    """A name that a pickle imports."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A call that a pickle makes."""

    function: Any
    arguments: Any


@dataclass(frozen=True)
class Build:
    """An object with attributes that a pickle sets."""

    value: Any
    attributes: Any


@dataclass(frozen=True)
class Persistent:
    """A reference to what is outside the pickle."""

    said: Any


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are."""

    content: bytes


ORDERED_DICT = Call(Import("collections", "OrderedDict"), ())


def steps(value):
    """The opcodes that make this value."""
    if isinstance(value, Raw):
        return value.content
    if isinstance(value, Import):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        return steps(value.function) + steps(value.arguments) + b"R"
    if isinstance(value, Build):
        return steps(value.value) + steps(value.attributes) + b"b"
    if isinstance(value, Persistent):
        return steps(value.said) + b"Q"
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        content = value.to_bytes(16, "little", signed=True)
        return b"\x8a" + bytes([len(content)]) + content
    if isinstance(value, str):
        content = value.encode()
        return b"X" + struct.pack("<I", len(content)) + content
    if isinstance(value, tuple):
        return b"(" + b"".join(map(steps, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(steps, value)) + b"e"
    items = b"".join(steps(key) + steps(inner) for key, inner in value.items())
    return b"}(" + items + b"u"


def pickled(value):
    return b"\x80\x02" + steps(value) + b"."


def storage(key, array, kind=None, size=None, place="cpu", view=(None,)):
    """The reference to a tensor's numbers."""
    kind = kind or Import("torch", STORAGES[array.dtype.str[1:]])
    size = array.size if size is None else size
    return Persistent(("storage", kind, key, place, size, *view))


def tensor(key, array, offset=0, shape=None, strides=None, reference=None):
    shape = array.shape if shape is None else shape
    if strides is None:
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    arguments = (reference or storage(key, array), offset, shape, strides, False)
    function = Import("torch._utils", "_rebuild_tensor_v2")
    return Call(function, (*arguments, ORDERED_DICT))


def state_dict(arrays):
    """What stands for these tensors, each in a storage of its own name."""
    return {name: tensor(name, array) for name, array in arrays.items()}


def legacy(
    arrays, value=None, keys=None, magic=MAGIC, version=VERSION, machine=MACHINE
):
    """A file as PyTorch 0.4 to 1.5 wrote it."""
    value = state_dict(arrays) if value is None else value
    keys = sorted(arrays) if keys is None else keys
    head = b"".join(map(pickled, (magic, version, machine, value, keys)))
    return head + b"".join(
        struct.pack("<q", arrays[key].size) + arrays[key].tobytes()
        for key in sorted(arrays)
    )


def write_zip(path, arrays, value=None, order=b"little", method=zipfile.ZIP_STORED):
    """A file as later versions of PyTorch write it."""
    value = state_dict(arrays) if value is None else value
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("elmo/data.pkl", pickled(value))
        archive.writestr("elmo/byteorder", order)
        for name, array in arrays.items():
            archive.writestr(f"elmo/data/{name}", array.tobytes())
        archive.writestr("elmo/version", b"3\n")
    return path
