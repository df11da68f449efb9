"""One word in several sentences: how alike are its embeddings?

    python -m keras_elmo.examples.word_in_context bank "the bank of the river" ...

prints the cosine of the word's embeddings in each two of the sentences. Without
context, in `word_emb`, it is 1 for all.
"""

import argparse

import numpy as np
import tensorflow as tf

from keras_elmo import ElmoEmbedding
from keras_elmo.cli.help import WEIGHTS, HelpFormatter
from keras_elmo.text.tokenizers import TOKENIZERS

_WORD = "bank"
SENTENCES = [
    "He sat on the bank of the river and looked at the water .",
    "The boat lay against the muddy bank of the river .",
    "She had put all of her money in the bank .",
    "He had an account at the bank in London .",
]


def main(arguments: list[str] | None = None) -> None:
    """Runs the script."""
    args = _parse(arguments)
    try:
        elmo = ElmoEmbedding.from_preset(args.elmo, tokenizer=args.tokenizer)
        for layer in ("word_emb", args.layer):
            cosines = compare(elmo, args.word, args.sentences, layer)
            print(f"\nCosines of {args.word!r} in {layer}")
            for sentence, row in zip(args.sentences, cosines, strict=True):
                print(*(f"{cosine:5.2f}" for cosine in row), f"  {sentence}")
    except (ValueError, OSError) as error:
        raise SystemExit(str(error)) from error


def compare(
    elmo: ElmoEmbedding, word: str, sentences: list[str], layer: str
) -> np.ndarray:
    """The cosine of a word's embeddings in each two sentences.

    Args:
        elmo: An embedding that returns all outputs.
        word: The word, as the tokenizer leaves it.
        sentences: Sentences that hold it. Its first occurrence counts.
        layer: Name of the output.

    Returns:
        `(sentences, sentences)`.

    Raises:
        ValueError: if a sentence does not hold the word.
    """
    positions = [_find(word, sentence, elmo.tokenizer) for sentence in sentences]
    outputs = elmo(sentences)[layer].numpy()
    vectors = outputs[np.arange(len(sentences)), positions]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T


def _find(word: str, sentence: str, tokenizer: str) -> int:
    tokens = TOKENIZERS[tokenizer](tf.constant([sentence])).to_list()[0]
    tokens = [token.decode(errors="replace") for token in tokens]
    if word not in tokens:
        raise ValueError(
            f"`word` should be a token of each sentence. Received: {word!r}, where the "
            f"tokens are {tokens}. Set punctuation apart, or choose another tokenizer"
        )
    return tokens.index(word)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m keras_elmo.examples.word_in_context",
        description="Compare the embeddings of a word in several sentences.",
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add("word", nargs="?", default=_WORD)
    add("sentences", nargs="*", default=SENTENCES, help="that hold the word")
    add("--elmo", nargs="+", default=["tiny_en"], metavar="SOURCE", help=WEIGHTS)
    layers = ["lstm_outputs2", "lstm_outputs1", "elmo"]
    add("--layer", choices=layers, default=layers[0], help="besides word_emb")
    add("--tokenizer", choices=list(TOKENIZERS), default="space")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
