import re

import hypothesis.strategies as st
import numpy as np
import oracles
import pytest
import tensorflow as tf
from hypothesis import given, settings

from keras_elmo import ElmoPreprocessor
from keras_elmo.text.tokenizers import TOKENIZERS, split_as_treebank


def ids_of(token, max_characters=50):
    tokens = tf.ragged.constant([[token]], dtype=tf.string)
    return ElmoPreprocessor(max_characters=max_characters)(tokens)["char_ids"][0, 0]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", [259, 260] + [261] * 48),
        ("a", [259, 98, 260] + [261] * 47),
        ("a" * 48, [259] + [98] * 48 + [260]),
        ("a" * 48 + "b", [259] + [98] * 48 + [260]),
        ("a" * 199 + "b", [259] + [98] * 48 + [260]),
        # Of the two bytes of the last character the first one fits in.
        ("a" * 47 + "é", [259] + [98] * 47 + [0xC3 + 1, 260]),
        ("é", [259, 0xC3 + 1, 0xA9 + 1, 260] + [261] * 46),
        ("<S>", [259, 257, 260] + [261] * 47),
        ("</S>", [259, 258, 260] + [261] * 47),
        ("<s>", [259, 61, 116, 63, 260] + [261] * 45),
        (b"\xff\xfe", [259, 256, 255, 260] + [261] * 46),
        (b"\0a\0", [259, 1, 98, 1, 260] + [261] * 45),
        ("\x01\x7f", [259, 2, 128, 260] + [261] * 46),
    ],
)
def test_literal_ids(token, expected):
    assert ids_of(token).numpy().tolist() == expected


def test_word_of_a_megabyte():
    assert ids_of("x" * 2**20).numpy().tolist() == [259] + [121] * 48 + [260]


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("", []),
        (" ", []),
        ("a b", ["a", "b"]),
        ("  a   b ", ["a", "b"]),
        ("a\tb c\n", ["a\tb", "c\n"]),
        ("a\u00a0b", ["a\u00a0b"]),
        ("don't stop.", ["don't", "stop."]),
        ("😀 naïve", ["😀", "naïve"]),
    ],
)
def test_space_tokenizer(sentence, tokens):
    by_sentence = ElmoPreprocessor()([sentence])
    by_tokens = ElmoPreprocessor()(
        {"tokens": [[*tokens, ""]], "sequence_len": [len(tokens)]}
    )
    assert by_sentence["sequence_len"].numpy().tolist() == [len(tokens)]
    np.testing.assert_array_equal(
        by_sentence["char_ids"][:, : len(tokens)], by_tokens["char_ids"][:, :-1]
    )


def tokens_equal(outputs, tokens):
    expected = ElmoPreprocessor()(tf.ragged.constant([tokens], dtype=tf.string))
    np.testing.assert_array_equal(outputs["char_ids"], expected["char_ids"])


def test_unicode_script_tokenizer():
    pytest.importorskip("tensorflow_text", reason="tensorflow-text is not installed")
    outputs = ElmoPreprocessor("unicode_script")(["don't  stop.\u3000\tnow"])
    tokens_equal(outputs, ["don", "'", "t", "stop", ".", "now"])


def test_unicode_script_tokenizer_replaces_what_is_no_utf8():
    pytest.importorskip("tensorflow_text", reason="tensorflow-text is not installed")
    outputs = ElmoPreprocessor("unicode_script")([b"a\xff"])
    tokens_equal(outputs, ["a", "\ufffd"])


@settings(deadline=None, max_examples=30)
@given(st.text(st.sampled_from("ab.é東 \t\n\u0085\u00a0\u2028\u3000\u200b")))
def test_whitespace_tokenizer_equals_python(sentence):
    tokens_equal(ElmoPreprocessor("whitespace")([sentence]), sentence.split())


def test_whitespace_tokenizer_leaves_other_bytes_alone():
    outputs = ElmoPreprocessor("whitespace")([b"a\xff\xe3\x80b\xe3\x80\x80\0"])
    tokens_equal(outputs, [b"a\xff\xe3\x80b", b"\0"])


TREEBANK = {
    '"Don\'t," she said; "I can\'t."': '" Do n\'t , " she said ; " I ca n\'t . "',
    "It’s Mrs. Smith’s dog, we’ll see…": "It 's Mrs. Smith 's dog , we 'll see …",
    "From 10:30 on: 1,000 men (or 3.5%)!": "From 10:30 on : 1,000 men ( or 3.5 % ) !",
    "J. R. R. K. in the U.S. in 1930's.": "J. R. R. K. in the U.S. in 1930 's .",
    "Better than I. So--well--10/10..": "Better than I . So -- well -- 10/10 ..",
    "the end.Then 'great' stars": "the end . Then ' great ' stars",
    "He says 'The end.' Then": "He says ' The end . ' Then",
    "a well-made film, cannot fail,": "a well-made film , cannot fail ,",
    "DON'T. IT'S. OK": "DO N'T . IT 'S . OK",
    "a grade of B.": "a grade of B .",
    "in 3-D. The R&B. So": "in 3-D . The R&B . So",
    "on TV.It got 10/10.So (1995).The": "on TV . It got 10/10 . So ( 1995 ) . The",
    "'A Bug's Life' and 'It's so'": "' A Bug 's Life ' and ' It 's so '",
    "the U.S.'s only one, at 9 a.m.": "the U.S. 's only one , at 9 a.m.",
    "'til then, 'cause 'tis": "'til then , 'cause 'tis",
    "René's café's, I'd've": "René 's café 's , I 'd 've",
    "film–which end.\u00a0The": "film – which end . The",
}


@pytest.mark.parametrize("sentence", TREEBANK)
def test_treebank_tokenizer(sentence):
    tokens = TREEBANK[sentence]
    tokens_equal(ElmoPreprocessor("treebank")([sentence]), tokens.split(" "))
    tokens_equal(ElmoPreprocessor("treebank")([tokens]), tokens.split(" "))


def straight(text):
    """`text` without white space, and with straight quotation marks."""
    text = re.sub("[“”]|''", '"', re.sub("[‘’´`]", "'", text))
    return "".join(text.split())


@settings(deadline=None, max_examples=100)
@given(st.text(st.sampled_from("abIMrn'.,:;!?-…()\"“”‘’$%01 \t\n\u00a0東")))
def test_treebank_tokenizer_loses_nothing(sentence):
    tokens = split_as_treebank(tf.constant([sentence])).to_list()[0]
    assert "".join(t.decode() for t in tokens) == straight(sentence)


def test_treebank_tokenizer_leaves_other_bytes_alone():
    tokens = split_as_treebank(tf.constant([b"a\xff, \xe3\x80b."])).to_list()
    assert tokens == [[b"a\xff", b",", b"\xe3\x80b", b"."]]


TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \t<S>/é"), max_size=60
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(TEXT.map(str.encode) | st.binary(max_size=60), max_size=4),
    st.booleans(),
    st.integers(3, 50),
)
def test_equals_python(sentences, boundaries, max_characters):
    """Whatever the bytes: the ids, the lengths, the padding, in either form."""
    tokens = [[t for t in sentence.split(b" ") if t] for sentence in sentences]
    if boundaries:
        tokens = [[b"<S>", *row, b"</S>"] for row in tokens]
    time = max([1 + 2 * boundaries, *map(len, tokens)])
    expected = np.zeros((len(tokens), time, max_characters), "int32")
    for row, words in enumerate(tokens):
        for column, word in enumerate(words):
            expected[row, column] = oracles.char_ids(word, max_characters)

    inputs = tf.constant(sentences, dtype=tf.string)
    dense, distinct = (
        ElmoPreprocessor(
            max_characters=max_characters,
            sentence_boundaries=boundaries,
            distinct=distinct,
        )(inputs)
        for distinct in (False, True)
    )
    lengths = list(map(len, tokens))
    np.testing.assert_array_equal(dense["char_ids"], expected)
    assert dense["sequence_len"].numpy().tolist() == lengths
    assert distinct["sequence_len"].numpy().tolist() == lengths

    table, index = distinct["char_ids"].numpy(), distinct["token_index"].numpy()
    np.testing.assert_array_equal(table[index], expected[..., : table.shape[1]])
    # What was cut off is nothing but padding.
    assert set(np.unique(expected[..., table.shape[1] :])) <= {0, 261}
    assert len(table) == 1 + len({token for row in tokens for token in row})


SENTENCES = ["the cat  sat", "", "naïve </S>", "a"]


def batches_equal(left, right):
    assert set(left) == set(right)
    for key in left:
        np.testing.assert_array_equal(left[key], right[key])


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_same_in_eager_function_and_dataset(tokenizer, distinct):
    if tokenizer == "unicode_script":
        pytest.importorskip("tensorflow_text", reason="no tensorflow-text here")
    preprocessor = ElmoPreprocessor(tokenizer, distinct=distinct)
    eager = preprocessor(SENTENCES)
    batches_equal(eager, tf.function(preprocessor)(tf.constant(SENTENCES)))
    batched = tf.data.Dataset.from_tensor_slices(SENTENCES).batch(4).map(preprocessor)
    batches_equal(eager, next(iter(batched)))
    columns = tf.constant(SENTENCES)[:, None]
    batches_equal(eager, preprocessor(columns))
    batches_equal(eager, preprocessor(np.array(SENTENCES, dtype=object)))
    batches_equal(eager, preprocessor(np.array(SENTENCES)))


def test_before_batching():
    preprocessor = ElmoPreprocessor(sentence_boundaries=True)
    dataset = tf.data.Dataset.from_tensor_slices(SENTENCES).map(preprocessor)
    assert dataset.element_spec["char_ids"].shape.as_list() == [None, 50]
    batches_equal(preprocessor(SENTENCES), next(iter(dataset.padded_batch(4))))


def test_tokens_before_batching():
    preprocessor = ElmoPreprocessor()
    inputs = {"tokens": [["a", "b"], ["c", "?"]], "sequence_len": [2, 1]}
    dataset = tf.data.Dataset.from_tensor_slices(inputs).map(preprocessor)
    batches_equal(preprocessor(inputs), next(iter(dataset.batch(2))))


def test_graph_has_only_core_ops():
    """No Python per token, nothing but TensorFlow's own kernels."""
    function = tf.function(ElmoPreprocessor(distinct=True)).get_concrete_function(
        tf.TensorSpec([None], tf.string)
    )
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    ops = {node.op for node in nodes}
    assert "StringSplitV2" in ops
    assert not {op for op in ops if "PyFunc" in op or "While" in op or "Map" in op}


@pytest.mark.parametrize("boundaries", [False, True])
def test_max_length_of_tokens_is_kept(boundaries):
    inputs = {"tokens": [["a", "b", "c"]], "sequence_len": [1]}
    added = 2 * boundaries
    outputs = ElmoPreprocessor(sentence_boundaries=boundaries)(inputs)
    assert outputs["char_ids"].shape == (1, 3 + added, 50)
    np.testing.assert_array_equal(outputs["char_ids"][0, 1 + added :], 0)
    distinct = ElmoPreprocessor(sentence_boundaries=boundaries, distinct=True)(inputs)
    assert distinct["token_index"].shape == (1, 3 + added)


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("empty", [[], np.array([], object), tf.zeros([0], tf.string)])
def test_empty_batch(distinct, empty):
    outputs = ElmoPreprocessor(distinct=distinct)(empty)
    assert outputs["sequence_len"].shape == (0,)
    assert outputs["token_index" if distinct else "char_ids"].shape[:2] == (0, 1)


TWO_BY_TWO = [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1, 2], "should be strings.*Received: int32"),
        (np.ones((2, 3), "float32"), "should be strings.*Received: float32"),
        (np.array(TWO_BY_TWO), r"Received: string of shape \(2, 2\).*sequence_len"),
        ([["a"], "b"], "list of lists of tokens.*Received: 'b' as row 1"),
        ([["a"], ["b", None]], r"Received: \['b', None\] as row 1"),
        (
            {"tokens": [["a"], ["b", "c"]], "sequence_len": [1, 2]},
            "can't be made a tensor.*list of lists",
        ),
        (["a", None], r"can't be made a tensor.*\['a', None\]"),
        (np.array(["a", np.nan], dtype=object), "can't be made a tensor"),
        (object(), "can't be made a tensor.*of type object"),
        ({"tokens": TWO_BY_TWO}, r"Received: keys \['tokens'\]"),
        ({"tokens": TWO_BY_TWO, "sequence_len": [2]}, "one length a row"),
        ({"tokens": TWO_BY_TWO, "sequence_len": [[2], [2]]}, "one length a row"),
        ({"tokens": TWO_BY_TWO, "sequence_len": [2.0, 1.0]}, "should be integers"),
        ({"tokens": TWO_BY_TWO, "sequence_len": [1, 3]}, "0..2.*Received: 3 at row 1"),
        ({"tokens": TWO_BY_TWO, "sequence_len": [-1, 1]}, "Received: -1 at row 0"),
        ({"tokens": [[1, 2]], "sequence_len": [1]}, '"tokens".*should be strings'),
        ({"tokens": ["a"], "sequence_len": [1]}, "one length a row"),
        (tf.ragged.constant([[["a"]]]), "RaggedTensor"),
    ],
)
def test_bad_inputs(inputs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        ElmoPreprocessor()(inputs)


def test_bad_length_in_a_graph():
    function = tf.function(ElmoPreprocessor())
    inputs = {"tokens": tf.constant(TWO_BY_TWO), "sequence_len": tf.constant([1, 3])}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)at row:\] \[1\].*3"):
        function(inputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"tokenizer": "spaces"},
            "`tokenizer` should be one of: 'space', 'whitespace'",
        ),
        ({"max_characters": 2}, "`max_characters` should leave room"),
        ({"max_characters": 50.0}, "`max_characters` should be a positive integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ElmoPreprocessor(**arguments)


def test_distinct_needs_a_batch():
    with pytest.raises(ValueError, match="pass a list of one"):
        ElmoPreprocessor(distinct=True)("one sentence")
