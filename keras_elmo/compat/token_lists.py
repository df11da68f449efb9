"""Sentences as the other packages take them: lists of tokens."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_elmo.text.checks import shortened
from keras_elmo.text.sentences import token_lists

_EXPECTED = 'a list of lists of tokens, such as [["The", "first", "sentence", "."]]'


def as_token_lists(name: str, sentences: Any) -> list[list[bytes]]:
    """The tokens of each sentence.

    A string in place of tokens is refused: bilm-tf and simple_elmo take each of its
    characters for a token, which nobody means who passes a sentence.

    Args:
        name: What the argument is called in an error.
        sentences: Iterable of sequences of tokens.

    Raises:
        ValueError: if it is something else.

    Example:

    >>> as_token_lists("texts", [["the", "cat"], []])
    [[b'the', b'cat'], []]
    """
    is_one = isinstance(sentences, str | bytes | Mapping)
    if is_one or not isinstance(sentences, Iterable):
        raise ValueError(
            f"`{name}` should be {_EXPECTED}. Received: {name}={shortened(sentences)}"
        )
    rows = list(sentences)
    for number, row in enumerate(rows):
        if isinstance(row, str | bytes):
            raise ValueError(
                f"`{name}` should be {_EXPECTED}. Received: {shortened(row)} as "
                f"sentence {number}, which is a string. Split it: by "
                "`sentence.split()`, or by `list(sentence)` to have each character "
                "be a token"
            )
    return list(token_lists(rows, "space"))
