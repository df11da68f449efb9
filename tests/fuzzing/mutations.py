"""Changes to files, of which each is a function of a random generator."""

import io
import json
import random
import struct
import tarfile
import zipfile
from pathlib import Path

# Numbers that sizes and offsets break at, in the widths that formats have them in.
_NUMBERS = [
    struct.pack(f"<{code}", number)
    for code, number in [
        *(("I", n) for n in (0, 1, 2**31 - 1, 2**31, 2**32 - 1)),
        *(("Q", n) for n in (0, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1)),
    ]
]
_VALUES = [None, True, -1, 0, 1e308, 2**63, "", "x" * 999, [], {}, [[]], "../../x"]
_LONGEST = 200


def mutate(folder: Path, chance: random.Random) -> str:
    """Changes one of the files of a folder, or what is packed in it.

    Returns:
        The name of the file.
    """
    path = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    path.write_bytes(mutated(path.read_bytes(), chance))
    return path.relative_to(folder).as_posix()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Other bytes, by one to four changes."""
    changed = content
    while changed == content:
        changed = _changed(content, chance)
    return changed


def _changed(content: bytes, chance: random.Random) -> bytes:
    inside = _inside(content)
    if inside is not None and chance.random() < 0.7:
        return inside(content, chance)
    for _ in range(chance.choice([1, 1, 2, 4])):
        content = chance.choice(_CHANGES)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> int:
    # Headers are at the ends, and zeros are mostly padding.
    if chance.random() < 0.3:
        edge = chance.randrange(min(len(content), _LONGEST) + 1)
        return chance.choice([edge, len(content) - edge])
    place = chance.randrange(len(content) + 1)
    for _ in range(5):
        if place < len(content) and content[place]:
            break
        place = chance.randrange(len(content) + 1)
    return place


def _byte(content: bytes, chance: random.Random) -> bytes:
    place = _place(content, chance)
    value = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    return content[:place] + bytes([value]) + content[place + 1 :]


def _number(content: bytes, chance: random.Random) -> bytes:
    place, number = _place(content, chance), chance.choice(_NUMBERS)
    return content[:place] + number + content[place + len(number) :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _delete(content: bytes, chance: random.Random) -> bytes:
    place = _place(content, chance)
    return content[:place] + content[place + chance.randrange(1, _LONGEST) :]


def _insert(content: bytes, chance: random.Random) -> bytes:
    place = _place(content, chance)
    return content[:place] + chance.randbytes(chance.randrange(9)) + content[place:]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    start, place = _place(content, chance), _place(content, chance)
    span = content[start : start + chance.randrange(1, _LONGEST)]
    return content[:place] + span + content[place:]


def _json(content: bytes, chance: random.Random) -> bytes:
    """Exchanges, removes or adds a value, if it is JSON."""
    try:
        value = json.loads(content)
    except ValueError:
        return _byte(content, chance)
    place = value
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = chance.choice(keys)
        if not isinstance(place[key], dict | list) or chance.random() < 0.3:
            place[key] = chance.choice([*_VALUES, place[chance.choice(keys)]])
            break
        place = place[key]
    return json.dumps(value).encode()


_CHANGES = (_byte, _byte, _number, _cut, _delete, _insert, _repeat, _json)


def _inside(content: bytes):
    """What changes a file in an archive, whose checksums are right afterwards."""
    if content.startswith(b"PK\3\4"):
        return _in_zip
    if content.startswith(b"\x1f\x8b"):
        return _in_tar
    return None


def _in_zip(content: bytes, chance: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [(info, archive.read(info)) for info in archive.infolist()]
    number = chance.randrange(len(files))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for index, (info, data) in enumerate(files):
            archive.writestr(info, mutated(data, chance) if index == number else data)
    return packed.getvalue()


def _in_tar(content: bytes, chance: random.Random) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = [
            (member, archive.extractfile(member).read())
            for member in archive.getmembers()
            if member.isfile()
        ]
    number = chance.randrange(len(files))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for index, (member, data) in enumerate(files):
            if index == number:
                data = mutated(data, chance)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()
