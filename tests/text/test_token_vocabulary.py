import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from keras_elmo import ElmoPreprocessor
from keras_elmo.text.token_vocabulary import TokenVocabulary, character_ids

CHARACTERS = "cab日😀"
WORDS = ["<oov>", "<bos>", "<eos>", "cab", "日日"]
MANY = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))


def ids_of(vocabulary, *tokens, characters=8):
    return vocabulary(tf.constant(tokens), characters=characters).numpy().tolist()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", [259, 260, 261, 261, 261, 261, 261, 261]),
        ("a", [259, 2, 260, 261, 261, 261, 261, 261]),
        ("日😀", [259, 4, 5, 260, 261, 261, 261, 261]),
        # An unknown character has the number after all others.
        ("xa", [259, 6, 2, 260, 261, 261, 261, 261]),
        ("日" * 6, [259, 4, 4, 4, 4, 4, 4, 260]),
        ("日" * 6 + "ab", [259, 4, 4, 4, 4, 4, 4, 260]),
        ("<S>", [259, 257, 260, 261, 261, 261, 261, 261]),
        ("</S>", [259, 258, 260, 261, 261, 261, 261, 261]),
        (b"a\xffb", [259, 2, 6, 3, 260, 261, 261, 261]),
        ("a\0b", [259, 2, 6, 3, 260, 261, 261, 261]),
    ],
)
def test_literal_ids(token, expected):
    assert ids_of(TokenVocabulary(CHARACTERS), token) == [expected]


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("cab", 4),
        ("日日", 5),
        ("ca", 1),
        ("Cab", 1),
        ("", 1),
        ("<S>", 2),
        ("</S>", 3),
        ("<oov>", 1),
        ("\0", 1),
        (b"\xff", 1),
    ],
)
def test_words(token, number):
    vocabulary = TokenVocabulary(CHARACTERS, WORDS)
    ((first, *others),) = ids_of(vocabulary, token)
    assert first == number
    assert [others] == ids_of(TokenVocabulary(CHARACTERS), token)


def test_a_word_is_looked_up_as_it_is_cut():
    vocabulary = TokenVocabulary(CHARACTERS, [*WORDS, "caba"])
    tokens = ["caba", "cabab", "cabab日", "caba<"]
    assert [row[0] for row in ids_of(vocabulary, *tokens, characters=6)] == [6] * 4
    assert [row[0] for row in ids_of(vocabulary, *tokens, characters=7)] == [6, 1, 1, 1]


def test_more_characters_than_bytes():
    """Those from the 257th on come after the special ids."""
    vocabulary = TokenVocabulary(MANY)
    assert vocabulary.num_characters == 307 and vocabulary.num_words == 0
    numbers = [row[1] for row in ids_of(vocabulary, *MANY, "a", characters=3)]
    assert numbers == [*range(1, 257), *range(262, 307)]
    assert numbers == character_ids(301).tolist()


def test_numbers_of_ids():
    assert TokenVocabulary(CHARACTERS).num_characters == 263  # 262 stands for bytes
    assert TokenVocabulary(MANY[:255]).num_characters == 263
    assert TokenVocabulary(MANY[:256]).num_characters == 263
    assert TokenVocabulary(MANY[:257]).num_characters == 264
    assert TokenVocabulary(CHARACTERS, WORDS).num_words == 5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.sampled_from(CHARACTERS + "é\0 "), max_size=9), min_size=1))
def test_equals_a_dictionary(tokens):
    vocabulary = TokenVocabulary(CHARACTERS, WORDS)
    numbers = {character: 1 + place for place, character in enumerate(CHARACTERS)}
    for token, found in zip(tokens, ids_of(vocabulary, *tokens), strict=True):
        content = [numbers.get(character, 6) for character in token[:6]]
        word = WORDS.index(token[:6]) if token[:6] in WORDS else 0
        expected = [1 + word, 259, *content, 260]
        assert found == expected + [261] * (9 - len(expected))


def test_config():
    vocabulary = TokenVocabulary(CHARACTERS, WORDS)
    serialized = keras.saving.serialize_keras_object(vocabulary)
    again = keras.saving.deserialize_keras_object(serialized)
    assert again.settings() == {"characters": CHARACTERS, "words": WORDS}
    assert ids_of(again, "cab", "x") == ids_of(vocabulary, "cab", "x")


@pytest.mark.parametrize("distinct", [False, True])
def test_preprocessor(distinct):
    vocabulary = TokenVocabulary(CHARACTERS, WORDS)
    preprocessor = ElmoPreprocessor(
        max_characters=6, distinct=distinct, token_vocabulary=vocabulary
    )
    serialized = keras.saving.serialize_keras_object(preprocessor)
    again = keras.saving.deserialize_keras_object(serialized)
    of_dictionary = ElmoPreprocessor(
        max_characters=6, distinct=distinct, token_vocabulary=vocabulary.settings()
    )
    for layer in (preprocessor, again, of_dictionary):
        dataset = tf.data.Dataset.from_tensors(["cab x", "日日"]).map(layer)
        (encoded,) = dataset
        char_ids = encoded["char_ids"].numpy()
        if distinct:
            char_ids = char_ids[encoded["token_index"].numpy()]
        expected = [
            [[4, 259, 1, 2, 3, 260, 261], [1, 259, 6, 260, 261, 261, 261]],
            [[5, 259, 4, 4, 260, 261, 261], [0] * 7],
        ]
        width = 7 if not distinct else char_ids.shape[-1]
        np.testing.assert_array_equal(char_ids, np.array(expected)[..., :width])
        # The words have 6 bytes at most, so that no more ids are needed.
        assert char_ids.shape[-1] == 7


def test_preprocessor_refuses_what_is_no_vocabulary():
    with pytest.raises(ValueError, match="`token_vocabulary` should be a `TokenVoc"):
        ElmoPreprocessor(token_vocabulary="abc")


@pytest.mark.parametrize(
    ("characters", "words", "message"),
    [
        ("", None, "`characters` should be a string of different"),
        ("aba", None, "`characters` should be a string of different"),
        (["a"], None, "`characters` should be a string of different"),
        (None, None, "`characters` should be a string of different"),
        ("a", "/etc/passwd", "`words` should be a list"),
        ("a", ["<oov>", 3], "`words` should be a list"),
        ("a", ["<oov>"], r"without \['<bos>', '<eos>'\]"),
        ("a", [*WORDS, "cab"], "6 words, 5 of them different"),
        ("a", [*WORDS, "\0"], "`words` should be different"),
    ],
)
def test_arguments_that_are_wrong(characters, words, message):
    with pytest.raises(ValueError, match=f"{message}.*"):
        TokenVocabulary(characters, words)
