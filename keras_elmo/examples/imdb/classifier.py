"""The classifier, once on vectors that were computed before and once on strings."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_elmo import ElmoEmbedding, ScalarMix
from keras_elmo.examples.imdb.heads import apply_head, make_head
from keras_elmo.examples.imdb.layers import FirstTokens, TokenMask, WordEmbedding
from keras_elmo.layers import AttachMask

# The softmax of zeros and this is zeros and one, in float32.
_CERTAIN = 200.0


class Classifier:
    """The probability that a review is positive, by two models of the same layers.

    Args:
        elmo: The embedding, with the output `"elmo"`.
        head: Name of the head, see `make_head`.
        max_tokens: Tokens of a review to read.
        seed: Seed of the head, and of the word embeddings.
        dropout: Rate of the dropout of what the head reads. Defaults to 0.
        words: Arguments of a `WordEmbedding` that the head reads too. Defaults to None:
            it reads ELMo alone.
        layer: The one layer to read, from 0 for `word_emb` on. Defaults to None: the
            mix of all, which is trained.

    Raises:
        ValueError: if there is no such layer.

    Attributes:
        on_vectors: A model of `{"vectors": (batch, layers, time, dim), "tokens":
            strings (batch, time)}`, the frozen outputs of the biLM and what they are
            of.
        on_text: A model of raw reviews, strings `(batch,)`. To load it from a file
            takes `import keras_elmo.examples.imdb.layers`.
    """

    def __init__(
        self,
        elmo: ElmoEmbedding,
        head: str,
        max_tokens: int,
        seed: int,
        dropout: float = 0.0,
        words: Mapping[str, Any] | None = None,
        layer: int | None = None,
    ):
        num_layers, dim = elmo.mix.num_layers, 2 * elmo.bilm.projection_dim
        if layer is not None:
            check_layer(elmo, layer)
            _choose(elmo.mix, layer)
        self._elmo = elmo
        layers = make_head(head, seed, dropout)
        # It comes after the head, which sets the seed.
        self._words = WordEmbedding(**words, name="words") if words else None

        vectors = keras.Input((num_layers, None, dim), name="vectors")
        tokens = keras.Input((None,), dtype="string", name="tokens")
        mixed = elmo.mix(ops.unstack(vectors, num_layers, axis=1))
        sequence = self._with_words(mixed, tokens)
        inputs = {"vectors": vectors, "tokens": tokens}
        self.on_vectors = keras.Model(inputs, apply_head(layers, sequence))

        text = keras.Input((), dtype="string", name="text")
        first = FirstTokens(max_tokens, name="first_tokens")(text)
        sequence = self._with_words(elmo(first), first["tokens"])
        self.on_text = keras.Model(text, apply_head(layers, sequence))

    def _with_words(self, sequence: Any, tokens: Any) -> Any:
        """What the head reads, with its mask."""
        if self._words is not None:
            sequence = keras.layers.Concatenate()([sequence, self._words(tokens)])
        return AttachMask()([sequence, TokenMask()(tokens)])

    def mix_weights(self) -> list[float]:
        """The weights of the layers in the mix, before the softmax."""
        return ops.convert_to_numpy(self._elmo.mix.mix_weights).tolist()


def check_layer(elmo: ElmoEmbedding, layer: int) -> None:
    """Refuses the number of a layer that an embedding does not have.

    Raises:
        ValueError: if it is such a number.
    """
    if not 0 <= layer < elmo.mix.num_layers:
        raise ValueError(
            f"`layer` should be one of the {elmo.mix.num_layers} layers of these "
            f"weights, from 0 to {elmo.mix.num_layers - 1}. Received: layer={layer}. "
            "Choose one of them, or none to have their mix"
        )


def _choose(mix: ScalarMix, layer: int) -> None:
    """Has a mix be one of its layers, at the scaling it has, whatever is trained."""
    chosen = [_CERTAIN * (number == layer) for number in range(mix.num_layers)]
    mix.mix_weights.assign(chosen)
    mix.trainable = False
