"""The classifier, once on vectors that were computed before and once on strings."""

import keras
from keras import ops

from keras_elmo import ElmoEmbedding
from keras_elmo.examples.imdb.heads import apply_head, make_head
from keras_elmo.examples.imdb.layers import FirstTokens


class Classifier:
    """The probability that a review is positive, by two models of the same layers.

    Args:
        elmo: The embedding, with the output `"elmo"`.
        head: Name of the head, see `make_head`.
        max_tokens: Tokens of a review to read.
        seed: Seed of the head.

    Attributes:
        on_vectors: A model of `{"vectors": (batch, layers, time, dim), "mask": boolean
            (batch, time)}`, the frozen outputs of the biLM.
        on_text: A model of raw reviews, strings `(batch,)`. To load it from a file
            takes `import keras_elmo.examples.imdb.layers`.
    """

    def __init__(self, elmo: ElmoEmbedding, head: str, max_tokens: int, seed: int):
        num_layers, dim = elmo.mix.num_layers, 2 * elmo.bilm.projection_dim
        self._elmo = elmo
        layers = make_head(head, seed)

        vectors = keras.Input((num_layers, None, dim), name="vectors")
        mask = keras.Input((None,), dtype="bool", name="mask")
        mixed = elmo.mix(ops.unstack(vectors, num_layers, axis=1))
        sequence = elmo.attach_mask([mixed, mask])
        inputs = {"vectors": vectors, "mask": mask}
        self.on_vectors = keras.Model(inputs, apply_head(layers, sequence))

        text = keras.Input((), dtype="string", name="text")
        sequence = elmo(FirstTokens(max_tokens, name="first_tokens")(text))
        self.on_text = keras.Model(text, apply_head(layers, sequence))

    def mix_weights(self) -> list[float]:
        """The weights of the layers in the mix, before the softmax."""
        return ops.convert_to_numpy(self._elmo.mix.mix_weights).tolist()
