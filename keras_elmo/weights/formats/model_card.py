"""The README.md of a preset: what is known of its weights, and what is not."""

from collections.abc import Mapping
from typing import Any

# What who uses weights has to know; where nobody told it, the card says so.
_EXPECTED = ("language", "data", "license", "command", "perplexity", "limits")
_NOT_STATED = "not stated"
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
        metadata: What was told about the weights.

    Example:

    >>> card = model_card({"units": 8}, {"name": "mine", "license": "CC0"})
    >>> [line for line in card.splitlines() if "units" in line or "icense" in line]
    ['- `units`: 8', '- `license`: CC0']
    """
    facts = {**dict.fromkeys(_EXPECTED, _NOT_STATED), **metadata}
    return _CARD.format(
        name=_text(facts.pop("name", "A biLM")),
        sizes=_list(settings),
        facts=_list(facts),
    )


def _list(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- `{name}`: {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    """On one line, so that what was told can't take the place of other parts."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(map(_text, value))
    return " ".join(str(value).split())
