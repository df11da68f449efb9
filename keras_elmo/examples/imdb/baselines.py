"""What simpler methods reach on the same reviews."""

import argparse
import time
from pathlib import Path

import keras

from keras_elmo.examples.imdb.batches import text_batches
from keras_elmo.examples.imdb.heads import apply_head, make_head
from keras_elmo.examples.imdb.layers import FirstTokens, TokenMask, WordEmbedding
from keras_elmo.examples.imdb.result import Result
from keras_elmo.examples.imdb.reviews import Reviews, frequent_words
from keras_elmo.examples.imdb.training import train_and_test
from keras_elmo.files.optional import import_optional
from keras_elmo.layers import AttachMask

WORDS = 20_000
_DIM = 128


def bag_of_words(train: Reviews, test: Reviews, longest: int) -> Result:
    """Logistic regression on TF-IDF.

    Args:
        train: What to learn from.
        test: What to tell.
        longest: Words that are counted together: 1 for words, 2 for pairs too.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed.
    """
    text = import_optional("sklearn.feature_extraction.text", "examples", "Baselines")
    linear = import_optional("sklearn.linear_model", "examples", "Baselines")
    pipeline = import_optional("sklearn.pipeline", "examples", "Baselines")
    model = pipeline.make_pipeline(
        text.TfidfVectorizer(
            ngram_range=(1, longest), min_df=2, sublinear_tf=True, token_pattern=r"\S+"
        ),
        linear.LogisticRegression(C=10, max_iter=1000),
    )
    start = time.monotonic()
    model.fit(train.tokens, train.labels)
    seconds = time.monotonic() - start
    name = "TF-IDF of words" + (" and pairs" if longest > 1 else "")
    return Result(name, model.predict_proba(test.tokens)[:, 1], seconds)


def from_scratch(
    args: argparse.Namespace, splits: dict[str, Reviews], folder: Path
) -> Result:
    """The same head on word embeddings of its own.

    Args:
        args: Those of the script: head, epochs, seeds and so on.
        splits: The reviews `"train"`, `"validation"` and `"test"`.
        folder: See `fit`.
    """
    seed = args.seeds[0]
    layers = make_head(args.head, seed, args.dropout)
    text = keras.Input((), dtype="string")
    tokens = FirstTokens(args.max_tokens)(text)["tokens"]
    words = WordEmbedding(frequent_words(splits["train"], WORDS), _DIM)
    sequence = AttachMask()([words(tokens), TokenMask()(tokens)])
    model = keras.Model(text, apply_head(layers, sequence))
    batches = {
        name: text_batches(reviews, reviews.texts, args.batch_size)
        for name, reviews in splits.items()
    }
    name = f"embeddings from scratch, {args.head}"
    rate = args.learning_rate
    return train_and_test(name, model, batches, seed, args.epochs, rate, folder)
