import pytest
from refusal import refused

from keras_elmo.compat.token_lists import as_token_lists


def test_half_a_surrogate_pair_is_left_out():
    assert as_token_lists("texts", (t for t in [("a\ud800b", "é"), []])) == [
        [b"ab", "é".encode()],
        [],
    ]


@pytest.mark.parametrize("sentences", ["the cat", b"the cat", {"the": 1}, 3, None])
def test_what_is_no_list_of_sentences(sentences):
    with refused("`texts` should be a list of lists of tokens", "Received: texts="):
        as_token_lists("texts", sentences)


@pytest.mark.parametrize(
    "sentence", ["the cat", b"cat", {"the": 1}, 3, None, ["the", b"cat"], [["the"]]]
)
def test_what_is_no_list_of_tokens(sentence):
    with refused("`texts[1]` should be a list of tokens", "Split a string"):
        as_token_lists("texts", [["dogs"], sentence])
