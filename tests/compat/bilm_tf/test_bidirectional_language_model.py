import h5py
import numpy as np
import pytest
import tensorflow as tf
from golden import assert_close
from refusal import refused

from keras_elmo.compat.bilm_tf import (
    Batcher,
    BidirectionalLanguageModel,
    TokenBatcher,
    dump_token_embeddings,
)


def character_ids(files, batch):
    return Batcher(files.vocabulary, 50).batch_sentences(files.golden.batches[batch])


def token_model(files, **kwargs):
    path = files.folder / "embeddings.hdf5"
    dump_token_embeddings(files.vocabulary, *files.pair, path)
    return BidirectionalLanguageModel(*files.pair, False, path, **kwargs)


def test_recorded_layers(skip_files, embedded):
    model, outputs = embedded
    mask = skip_files.golden.arrays["mask_0"]
    np.testing.assert_array_equal(outputs["mask"], mask)
    np.testing.assert_array_equal(outputs["lengths"], mask.sum(axis=1))
    assert_close(outputs["lm_embeddings"], skip_files.masked("layers_0", 0))
    outputs = model(character_ids(skip_files, 1))
    assert_close(outputs["lm_embeddings"], skip_files.masked("fresh_1", 1))


def test_boundaries_are_among_token_embeddings(skip_files, embedded):
    ids = Batcher(skip_files.vocabulary, 50).batch_sentences([["<S>", "a", "</S>"]])
    outputs = embedded[0](ids)
    begin, inner_begin, word, inner_end, end = outputs["token_embeddings"][0]
    assert_close([inner_begin, inner_end], [begin, end])
    doubled = np.concatenate([word, word])
    assert_close(outputs["lm_embeddings"][0, 0, 1], doubled)
    assert np.abs(begin - end).max() > 1e-2


def test_rows_wait_for_a_batch_that_has_them(skip_files):
    """The last rows of batch 0 leave their state past a batch of two rows."""
    model = BidirectionalLanguageModel(*skip_files.pair, stateful=True)
    first, second = (character_ids(skip_files, batch) for batch in (0, 1))
    model(first[:2])
    model(first[2:3])  # Row 0 goes on from where its last sentence ended.
    outputs = model(np.concatenate([second[:2], second[:1]]))["lm_embeddings"]
    fresh = skip_files.masked("fresh_1", 1)
    expected = skip_files.masked("layers_1", 1)
    assert_close(outputs[1], expected[1])
    assert_close(outputs[2], fresh[0])
    assert np.abs(outputs[0] - fresh[0]).max() > 1e-2
    assert np.abs(outputs[0] - expected[0]).max() > 1e-2


def test_tokens_give_what_characters_give(skip_files):
    """And both carry the recorded state on request."""
    of_characters = BidirectionalLanguageModel(*skip_files.pair, stateful=True)
    of_tokens = token_model(skip_files, stateful=True)
    batcher = TokenBatcher(skip_files.vocabulary)
    for batch in (0, 1):
        expected = of_characters(character_ids(skip_files, batch))
        recorded = skip_files.masked(f"layers_{batch}", batch)
        assert_close(expected["lm_embeddings"], recorded)
        ids = batcher.batch_sentences(skip_files.golden.batches[batch])
        assert_close(dict(of_tokens(ids)), dict(expected))


def test_in_a_graph(skip_files, embedded):
    model, expected = embedded
    ids = tf.constant(character_ids(skip_files, 0))
    in_graph = tf.function(lambda ids: dict(model(ids)))
    assert_close(in_graph(ids), dict(expected))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"0\.\.26[12]|0, 262"):
        in_graph(ids + 100)


def test_state_needs_direct_calls(skip_files):
    model = BidirectionalLanguageModel(*skip_files.pair, stateful=True)
    with pytest.raises(RuntimeError, match="Leave `stateful=True` out"):
        tf.function(lambda ids: dict(model(ids)))(character_ids(skip_files, 0))


def test_wrong_ids(skip_files, embedded):
    model, _ = embedded
    ids = character_ids(skip_files, 0)
    with refused("`ids`", "(batch, time, 50)", "`Batcher`", "(4, 10)"):
        model(ids[..., 0])
    with refused("`ids` should be integers", "float64"):
        model(ids * 1.0)
    with refused("0..261"):
        model(ids + 100)
    with refused("between <S> and </S>"):
        model(ids[:, 1:])
    of_tokens = token_model(skip_files)
    with refused("`ids`", "(batch, time)", "`TokenBatcher`", "(4, 10, 50)"):
        of_tokens(ids)
    with refused("the words of `embedding_weight_file`", "of up to 99"):
        of_tokens([[1, 99, 2]])


def test_more_rows_than_there_are_states(skip_files):
    pair, ids = skip_files.pair, character_ids(skip_files, 0)
    model = BidirectionalLanguageModel(*pair, max_batch_size=3, stateful=True)
    with refused("at most 3 rows", "`max_batch_size`", "4"):
        model(ids)


def test_vectors_of_words_that_do_not_fit(skip_files):
    pair, path = skip_files.pair, skip_files.folder / "embeddings.hdf5"
    with refused("`embedding_weight_file`", "`dump_token_embeddings`"):
        BidirectionalLanguageModel(*pair, use_character_inputs=False)
    with pytest.raises(FileNotFoundError, match="`embedding_weight_file`"):
        BidirectionalLanguageModel(*pair, False, path)
    for arrays, received in (
        ({"other": np.zeros((3, 12))}, "'other': (3, 12)"),
        ({"embedding": np.zeros((3, 5))}, "'embedding': (3, 5)"),
        ({"embedding": np.full((3, 12), np.nan)}, "NaN"),
    ):
        with h5py.File(path, "w") as file:
            file.update(arrays)
        with refused("`embedding_weight_file`", str(path), received):
            BidirectionalLanguageModel(*pair, False, path)


def test_arguments(skip_files):
    for arguments, name in (
        ({"use_character_inputs": 1}, "use_character_inputs"),
        ({"max_batch_size": 0}, "max_batch_size"),
        ({"stateful": None}, "stateful"),
    ):
        with refused(f"`{name}`"):
            BidirectionalLanguageModel(*skip_files.pair, **arguments)
