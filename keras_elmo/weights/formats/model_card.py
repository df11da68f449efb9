"""The README.md of a preset: what is known of its weights, and what is not."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

# What who uses weights has to know; where nobody told it, the card says so.
_EXPECTED = ("language", "data", "license", "command", "perplexity", "limits")
_CARD = """\
# {name}

Weights of a biLM, a language model of both directions (ELMo, Peters et al. 2018), as a
preset of keras_elmo:

```python
from keras_elmo import ElmoEmbedding

elmo = ElmoEmbedding.from_preset("path/of/this/folder")
```

## Sizes

{sizes}

## Facts

From `metadata.json`, where `metadata=` of `save_to_preset` and `--metadata` of
`keras-elmo train` go:

{facts}
"""


def model_card(settings: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The text of the card.

    Args:
        settings: Arguments of the `BiLM`.
        metadata: What was told about the weights, as JSON has it.

    Returns:
        Markdown.

    Example:

    >>> card = model_card({"units": 8}, {"name": "mine", "license": "CC0"})
    >>> [line for line in card.splitlines() if "units" in line or "icense" in line]
    ['- `units`: 8', '- `license`: CC0']
    """
    facts = {**dict.fromkeys(_EXPECTED), **metadata}
    name = facts.pop("name", None)
    return _CARD.format(
        name="A biLM" if name is None else _text(name),
        sizes="\n".join(_list(settings)),
        facts="\n".join(_list(facts)),
    )


def _list(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        start = f"{indent}- `{_text(name).replace('`', '')}`:"
        if isinstance(value, Mapping) and value:
            yield start
            yield from _list(value, indent + "  ")
        else:
            yield f"{start} {_text(value)}"


def _text(value: Any) -> str:
    """On one line, so that what was told can't take the place of other parts."""
    if value in (None, "", [], {}):
        return "not stated"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(map(_text, value))
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return " ".join(value.split())
