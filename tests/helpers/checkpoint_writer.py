"""Checkpoints as TensorFlow's, or as TensorFlow would never write them.

Every checksum is right, so that nothing but the content can be found wrong.
"""

import struct

import tensorflow as tf

MAGIC = 0xDB4775248B80FB57


def _crc_table():
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


_CRC_TABLE = tuple(_crc_table())


def masked_crc(content):
    """CRC-32C, masked as LevelDB does."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC_TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    number &= 2**64 - 1  # negative ones are the largest
    content = b""
    while number > 127:
        content += bytes([number & 127 | 128])
        number >>= 7
    return content + bytes([number])


def message(*fields):
    """A protocol buffer of `(number, integer or bytes)`."""
    content = b""
    for number, value in fields:
        if isinstance(value, bytes):
            content += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            content += varint(number << 3) + varint(value)
    return content


def header(shards=1, *others):
    return message((1, shards), (3, message((1, 1))), *others)


def entry(shape=(4,), dtype=1, shard=0, offset=0, size=None, crc=None, others=()):
    """What an index says of a tensor; by default of four zeros as float32."""
    dims = [(2, message((1, axis))) for axis in shape]
    fields = [(1, dtype), (2, message(*dims)), (3, shard), (4, offset)]
    fields += [(5, 16 if size is None else size), *others]
    crc = masked_crc(bytes(16)) if crc is None else crc
    return message(*fields) + varint(6 << 3 | 5) + struct.pack("<I", crc)


def item(key, value, shared=0):
    """A line of a block, whose key begins as the one before it."""
    return (
        varint(shared)
        + varint(len(key) - shared)
        + varint(len(value))
        + key[shared:]
        + value
    )


def block(items, restarts=(0,)):
    content = b"".join(items)
    return content + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(*blocks):
    """An index of these blocks of data."""
    content = b""

    def add(part):
        nonlocal content
        handle = varint(len(content)) + varint(len(part))
        part += b"\0"  # not compressed
        content += part + struct.pack("<I", masked_crc(part))
        return handle

    handles = [add(part) for part in blocks]
    nothing = add(block([]))
    last = [bytes([255, number]) for number in range(len(handles))]
    lines = [item(*line) for line in zip(last, handles, strict=True)]
    index = add(block(lines))
    return content + (nothing + index).ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def index(entries, first=None):
    """An index of `{name: entry}`, in the order that TensorFlow needs."""
    first = header() if first is None else first
    lines = [item(b"", first)]
    lines += [item(name.encode(), value) for name, value in sorted(entries.items())]
    return table(block(lines))


def write(prefix, index, data=bytes(64)):
    prefix.with_name(prefix.name + ".index").write_bytes(index)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(data)
    return prefix


def tensors(prefix):
    """All tensors of a good checkpoint by name."""
    reader = tf.train.load_checkpoint(str(prefix))
    return {
        name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
    }


def save(prefix, arrays):
    """Has TensorFlow itself write a checkpoint."""
    names = list(arrays)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[arrays[name] for name in names],
    )
    return prefix
