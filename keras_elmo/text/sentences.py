"""Sentences from any iterable, as lists of tokens."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_elmo.text.checks import shortened
from keras_elmo.text.tokenizers import TOKENIZERS

_SENTENCES = 256
_CHARACTERS = 1 << 20


def check_sentences(sentences: Any) -> None:
    """Refuses what is no iterable of sentences, one sentence above all.

    Raises:
        ValueError: if it is not.
    """
    is_one = isinstance(sentences, str | bytes | Mapping)
    if is_one or not isinstance(sentences, Iterable):
        raise ValueError(
            "`sentences` should be a list or another iterable of strings, or of lists "
            "of tokens; for one sentence, a list of one. Received: "
            f"sentences={shortened(sentences)}"
        )


def token_lists(sentences: Iterable[Any], tokenizer: str) -> Iterator[list[bytes]]:
    """The tokens of each sentence.

    Args:
        sentences: Strings, or sequences of tokens, which are taken as they are.
        tokenizer: Name of one of `TOKENIZERS`.

    Raises:
        ValueError: naming the first sentence that is neither.

    Example:

    >>> list(token_lists(["the cat", ["a", "dog"]], "space"))
    [[b'the', b'cat'], [b'a', b'dog']]
    """
    for is_text, chunk in _chunks(sentences):
        if is_text:
            ragged = TOKENIZERS[tokenizer](tf.constant(chunk, tf.string))
            tokens = ragged.flat_values.numpy().tolist()
            for start, stop in itertools.pairwise(ragged.row_splits.numpy().tolist()):
                yield tokens[start:stop]
        else:
            yield from chunk


def tokens_of(name: str, sentence: Any, tokenizer: str) -> list[bytes]:
    """The tokens of one sentence, an argument of this name.

    Args:
        name: For errors.
        sentence: String, or sequence of tokens, which are taken as they are.
        tokenizer: See `token_lists`.

    Raises:
        ValueError: if it is neither.
    """
    try:
        (tokens,) = token_lists([sentence], tokenizer)
    except ValueError as error:
        raise ValueError(
            f"`{name}` should be one sentence: a string, or a list of tokens, all of "
            f"them strings of valid Unicode. Received: {name}={shortened(sentence)}"
        ) from error
    return tokens


def as_text(data: bytes) -> str:
    r"""A token or line as text; bytes that are no UTF-8 as `\x..`.

    Example:

    >>> as_text(b"caf\xc3\xa9 \xff")
    'café \\xff'
    """
    return data.decode("utf-8", errors="backslashreplace")


def _chunks(sentences: Iterable[Any]) -> Iterator[tuple[bool, list]]:
    """Sentences of one kind, few enough that any number of long ones fits memory."""
    chunk: list = []
    kind, characters = True, 0
    for number, sentence in enumerate(sentences):
        is_text = isinstance(sentence, str | bytes)
        if chunk and (
            is_text != kind or len(chunk) == _SENTENCES or characters > _CHARACTERS
        ):
            yield kind, chunk
            chunk, characters = [], 0
        kind = is_text
        chunk.append(_as_bytes(sentence, number))
        characters += len(sentence) if is_text else 0
    if chunk:
        yield kind, chunk


def _as_bytes(sentence: Any, number: int) -> bytes | list[bytes]:
    tokens = sentence
    if isinstance(sentence, np.ndarray) and sentence.ndim == 1:
        tokens = sentence.tolist()
    elif isinstance(sentence, str | bytes):
        tokens = [sentence]
    is_text = isinstance(tokens, Sequence) and all(
        isinstance(token, str | bytes) for token in tokens
    )
    if not is_text:
        raise ValueError(
            "`sentences` should hold strings, or lists of tokens, all of them strings. "
            f"Received: {shortened(sentence)} as sentence {number}"
        )
    try:
        encoded = [t.encode() if isinstance(t, str) else bytes(t) for t in tokens]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"`sentences` should be valid Unicode, or bytes. Received: sentence "
            f"{number} with {error.object[error.start : error.end]!r}, half a character"
        ) from error
    return encoded[0] if isinstance(sentence, str | bytes) else encoded
