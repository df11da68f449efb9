"""Sentences as the other packages take them: lists of tokens."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_elmo.text.checks import shortened


def as_token_lists(name: str, sentences: Iterable[Any]) -> list[list[bytes]]:
    """The tokens of each sentence, as UTF-8.

    Half a surrogate pair, which has no UTF-8, is left out, as by AllenNLP and bilm-tf.

    Args:
        name: What the argument is called in an error.
        sentences: Lists of tokens.

    Raises:
        ValueError: if they are something else, a string above all.

    Example:

    >>> as_token_lists("texts", [["the", "cat"], []])
    [[b'the', b'cat'], []]
    """
    check_sentences(name, sentences)
    return [
        as_token_list(f"{name}[{number}]", sentence)
        for number, sentence in enumerate(sentences)
    ]


def check_sentences(name: str, sentences: Any) -> None:
    """Refuses what is no iterable of sentences, see `as_token_lists`."""
    if not _is_sequence(sentences):
        raise ValueError(
            f"`{name}` should be a list of lists of tokens, such as "
            f'[["The", "first", "sentence", "."]]. Received: '
            f"{name}={shortened(sentences)}"
        )


def as_token_list(name: str, sentence: Any) -> list[bytes]:
    """The tokens of one sentence, see `as_token_lists`.

    A string is refused: the other packages take each of its characters for a token,
    which nobody means who passes a sentence.
    """
    tokens: list[Any] = list(sentence) if _is_sequence(sentence) else [None]
    if not all(isinstance(token, str) for token in tokens):
        raise ValueError(
            f"`{name}` should be a list of tokens, all of them strings. Received: "
            f"{shortened(sentence)} of type {type(sentence).__name__}. Split a string: "
            "by `sentence.split()`, or by `list(sentence)` to have each character be "
            "a token"
        )
    return [token.encode("utf-8", "ignore") for token in tokens]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
