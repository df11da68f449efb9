"""bilm-tf's three scripts of usage, with the import changed and no session."""

import h5py
import numpy as np
from golden import assert_close

from keras_elmo.compat.bilm_tf import (
    Batcher,
    BidirectionalLanguageModel,
    TokenBatcher,
    dump_bilm_embeddings,
    dump_token_embeddings,
    weight_layers,
)

RAW_CONTEXT = [
    "Pretrained biLMs compute representations useful for NLP tasks .",
    "They give state of the art performance for many tasks .",
]
CONTEXT = [sentence.split() for sentence in RAW_CONTEXT]
QUESTION = [["What", "are", "biLMs", "useful", "for", "?"]]


def mixed(bilm, batcher):
    """ELMo at the input and at the output, for context and question."""
    context_ids = batcher.batch_sentences(CONTEXT)
    question_ids = batcher.batch_sentences(QUESTION)
    context_embeddings_op = bilm(context_ids)
    question_embeddings_op = bilm(question_ids)
    results = []
    for name in ("input", "output"):
        for embeddings_op in (context_embeddings_op, question_embeddings_op):
            op = weight_layers(name, embeddings_op, l2_coef=0.0)["weighted_op"]
            results.append(op)
    assert set(bilm.mixes) == {"input", "output"}
    return results


def test_character(skip_files, fresh, frozen_elmo):
    batcher = Batcher(skip_files.vocabulary, 50)
    bilm, _ = fresh  # BidirectionalLanguageModel(options_file, weight_file)
    expected = [frozen_elmo(CONTEXT)["elmo"], frozen_elmo(QUESTION)["elmo"]] * 2
    assert_close(mixed(bilm, batcher), expected)


def test_token(skip_files, frozen_elmo):
    words = {"<S>", "</S>"}.union(*CONTEXT, *QUESTION)
    vocabulary = skip_files.words(*words, name="vocab_small.txt")
    token_embedding_file = skip_files.folder / "elmo_token_embeddings.hdf5"
    dump_token_embeddings(vocabulary, *skip_files.pair, token_embedding_file)
    bilm = BidirectionalLanguageModel(
        *skip_files.pair,
        use_character_inputs=False,
        embedding_weight_file=token_embedding_file,
    )
    expected = [frozen_elmo(CONTEXT)["elmo"], frozen_elmo(QUESTION)["elmo"]] * 2
    assert_close(mixed(bilm, TokenBatcher(vocabulary)), expected)


def test_cached(skip_files, frozen_elmo):
    dataset_file = skip_files.folder / "dataset_file.txt"
    lines = [" ".join(sentence) for sentence in CONTEXT + QUESTION]
    dataset_file.write_text("\n".join(lines) + "\n")
    embedding_file = skip_files.folder / "elmo_embeddings.hdf5"
    dump_bilm_embeddings(
        skip_files.vocabulary, dataset_file, *skip_files.pair, embedding_file
    )
    with h5py.File(embedding_file, "r") as fin:
        second_sentence_embeddings = fin["1"][...]
    outputs = frozen_elmo(CONTEXT[1:])
    word_emb = np.concatenate([outputs["word_emb"]] * 2, axis=-1)
    layers = [word_emb, outputs["lstm_outputs1"], outputs["lstm_outputs2"]]
    assert_close(second_sentence_embeddings, np.concatenate(layers))
