"""JSON that says everything once."""

import json
from typing import Any


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


def _to_dictionary(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    dictionary: dict[str, Any] = {}
    for key, value in pairs:
        if key in dictionary:
            raise ValueError(f"the key {key!r} is there twice")
        dictionary[key] = value
    return dictionary
