"""JSON that says everything once."""

import json
from pathlib import Path
from typing import Any

from keras_elmo.files.atomic import replacing
from keras_elmo.files.paths import as_path


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is no JSON, is nested too deep, or has an object with a key
            twice, of which other readers may take the other value.
    """
    try:
        return json.loads(text, object_pairs_hook=_to_dictionary)
    except RecursionError as error:
        raise ValueError(f"it is nested too deep ({error})") from error


def read_object(path: Any) -> dict[str, Any]:
    """The object that is in a JSON file.

    Raises:
        ValueError: if the file holds anything else; see also `parse`.
        OSError: if it can't be read.
    """
    try:
        content = parse(as_path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} should be a JSON file. Received: one that can't be "
            f"read ({error}). Correct the file, or write it anew"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} should hold a JSON object. Received: "
            f"{type(content).__name__}. Write its content as {{...}}"
        )
    return content


def write_object(path: Any, content: dict[str, Any]) -> None:
    """Writes a JSON file, whole or not at all."""
    text = json.dumps(content, indent=2)
    with replacing(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def _to_dictionary(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    dictionary: dict[str, Any] = {}
    for key, value in pairs:
        if key in dictionary:
            raise ValueError(f"the key {key!r} is there twice")
        dictionary[key] = value
    return dictionary
