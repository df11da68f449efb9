"""The two forms of integers that stand for text, as `ElmoPreprocessor` makes them."""

from keras import ops

# Character ids. Bytes are 1..256: every id is one more than in bilm-tf
# (`bilm/data.py`, `UnicodeCharsVocabulary`), so that 0 is free.
NO_TOKEN = 0
SENTENCE_BEGIN, SENTENCE_END = 257, 258
TOKEN_BEGIN, TOKEN_END, PADDING = 259, 260, 261

FORMS = (
    {"char_ids", "sequence_len"},
    {"char_ids", "sequence_len", "token_index"},
)
# Besides these, with a `WordCache`: `"word_emb"` `(known, projection_dim)`, of which
# row 0 is unused, and -1, -2, ... in `"token_index"` mean row 1, 2, ...
CACHED_FORM = {"char_ids", "sequence_len", "token_index", "word_emb"}


def positions(integers):
    """`(batch, time)` integers of any value, in the shape of the sequences."""
    if "token_index" in integers:
        return integers["token_index"]
    return integers["char_ids"][..., 0]


def length_mask(integers, sentence_boundaries=False):
    """`(batch, time)`, True within each row's `sequence_len`.

    Args:
        integers: Either form; symbolic ones too.
        sentence_boundaries: Whether to leave out the first and the last position of
            each row, so that `time` is shorter by two.
    """
    # Small integers would not hold the length, or a difference below 0.
    inner = ops.cast(positions(integers), "int32")
    lengths = ops.cast(integers["sequence_len"], "int32")
    if sentence_boundaries:
        inner, lengths = inner[:, 2:], lengths - 2
    number = ops.cumsum(ops.ones_like(inner), axis=1)  # 1, 2, 3, ...
    return number <= lengths[:, None]
