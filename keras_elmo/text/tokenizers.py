"""How sentences are split into tokens, in TensorFlow string ops alone."""

from typing import Any

import tensorflow as tf

# A text may hold the words for the boundaries of a sentence: they mean the same there.
BEGIN_WORD, END_WORD = "<S>", "</S>"


# This is Unicode's property White_Space, in RE2's syntax.
_WHITE_SPACE = (
    r"[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}"
    r"\x{205f}\x{3000}]+"
)


def split_on_spaces(sentences: tf.Tensor) -> tf.RaggedTensor:
    """Splits on single spaces and nothing else; runs of spaces count once."""
    # This is `tf.ragged.boolean_mask` of `tf.strings.split`, whose graph is several
    # times as large. With a separator, they also return what is between two of them.
    parts = tf.raw_ops.StringSplitV2(input=sentences, sep=" ")
    is_token = tf.cast(tf.strings.length(parts.values) > 0, tf.int32)
    tokens = tf.dynamic_partition(parts.values, is_token, 2)[1]
    row_lengths = tf.math.unsorted_segment_sum(
        tf.cast(is_token, tf.int64), parts.indices[:, 0], tf.size(sentences)
    )
    return tf.RaggedTensor.from_row_lengths(tokens, row_lengths, validate=False)


def split_on_whitespace(sentences: tf.Tensor) -> tf.RaggedTensor:
    """Splits on runs of Unicode white space.

    Not by `tensorflow_text.WhitespaceTokenizer`: up to 2.21 at least, it leaves
    the first bytes of a white space of several bytes at the end of the token.
    """
    return split_on_spaces(tf.strings.regex_replace(sentences, _WHITE_SPACE, " "))


def split_on_unicode_scripts(sentences: tf.Tensor) -> tf.RaggedTensor:
    """Splits on white space and between scripts, of which punctuation is one.

    Bytes that are no UTF-8 become the replacement character, U+FFFD.
    """
    return _tensorflow_text().UnicodeScriptTokenizer().tokenize(sentences)


_INITIAL = (r"(^|[\s(])([A-HJ-Z]) \. ([A-Za-z])", r"\1\2. \3")
_CLITIC = (r"(?i)([^\s'])('(?:s|m|d|re|ve|ll))\b", r"\1 \2")

# What follows one another in `split_as_treebank`. RE2 looks neither ahead nor behind,
# so that a rule whose matches share a character, as in J. R. R., is there twice.
_TREEBANK_RULES = (
    (_WHITE_SPACE, " "),
    ("[\u2018\u2019\u00b4`]", "'"),
    ("[\u201c\u201d]|''", '"'),
    # Each of these is a token wherever it is.
    (r'[!?;()\[\]{}"$%\x{a3}\x{20ac}]', r" \0 "),
    ("\\.\\.+|\u2026", r" \0 "),
    ("--+|[\u2013\u2014]", r" \0 "),
    # A comma or colon within a number, as in 1,000 and 10:30, is not.
    (r"([,:])([^0-9])", r" \1 \2"),
    (r"([^0-9])([,:])", r"\1 \2 "),
    (r"[,:]$", r" \0"),
    # A full stop ends a word, or lacks its space, as in "the end.It".
    (r"([^\s.])\.(\s|'|$)", r"\1 .\2"),
    (r"([a-z]{2})\.([A-Z])", r"\1 . \2"),
    (r"([A-Z]{2}|[0-9]|^|\s)\.([A-Z][a-z])", r"\1 . \2"),
    # It belongs to titles, initials and what has others, as in U.S. and e.g.
    _INITIAL,
    _INITIAL,
    (r"(^|[\s(])(M(?:r|rs|s|essrs)|[DSJ]r|St|Prof|Capt|Gen|Lt|Rev) \. ", r"\1\2. "),
    (r"(\.[A-Za-z]|\b(?:etc|vs|Inc)) \.( |'|$)", r"\1.\2"),
    (r"(?i)(n't)\b", r" \1"),
    _CLITIC,
    _CLITIC,
    # What is left at the edge of a word is a quotation mark, or a genitive; but some
    # words begin with it.
    (r"(^|\s)'([A-Z][a-z]|[AI]\b|[a-z]{3})", r"\1' \2"),
    (r"(?i)(^|\s)' (til|cause|tis|twas|bout|round)\b", r"\1'\2"),
    (r"([^\s'])'(\s|$)", r"\1 ' "),
)


def split_as_treebank(sentences: tf.Tensor) -> tf.RaggedTensor:
    """Splits raw English into the tokens of the Penn Treebank, nearly.

    Punctuation and clitics stand apart (`do n't`, `Austen 's`), and curly quotation
    marks become straight ones. Text that has such tokens already stays as it is, but
    for a sentence that ends with a letter or title and a full stop (`plan B .`) before
    another.
    """
    for pattern, replacement in _TREEBANK_RULES:
        sentences = tf.strings.regex_replace(sentences, pattern, replacement)
    return split_on_spaces(sentences)


TOKENIZERS = {
    "space": split_on_spaces,
    "whitespace": split_on_whitespace,
    "unicode_script": split_on_unicode_scripts,
    "treebank": split_as_treebank,
}


def add_boundaries(tokens: tf.RaggedTensor) -> tf.RaggedTensor:
    """Puts `<S>` and `</S>` around each row of `(batch, None)` tokens."""
    # This is `tf.concat`, whose graph is several times as large.
    row_lengths = tokens.row_lengths() + 2
    ends = tf.cumsum(row_lengths)
    begin, end = ends - row_lengths, ends - 1
    places = begin, tf.ragged.range(begin + 1, end).flat_values, end
    begin_words, end_words = (
        tf.fill(tf.shape(end), word) for word in (BEGIN_WORD, END_WORD)
    )
    flat_values = tf.dynamic_stitch(
        [tf.cast(place, tf.int32) for place in places],
        [begin_words, tokens.flat_values, end_words],
    )
    return tf.RaggedTensor.from_row_lengths(flat_values, row_lengths, validate=False)


def _tensorflow_text() -> Any:
    try:
        import tensorflow_text
    except ImportError as error:
        raise ImportError(
            '`tokenizer="unicode_script"` needs tensorflow-text, which is not '
            "installed or does not match this TensorFlow: `pip install "
            "tensorflow-text`, of the same minor version as tensorflow. "
            'The tokenizers "space", "whitespace" and "treebank" work without it.'
        ) from error
    return tensorflow_text
