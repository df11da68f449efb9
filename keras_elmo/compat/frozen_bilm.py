from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_elmo")
class FrozenBiLM(keras.layers.Layer):
    """Every layer of a biLM of a batch of integers, as bilm-tf computes it.

    Nothing of it is ever trained, whatever `trainable` of a model around it says.

    Reference: bilm-tf (`bilm/model.py`, `_build_ops`).

    Args:
        bilm: A `BiLM`, whose `return_state` is that of this layer.
        num_words: Number of words whose `word_emb` is stored, by which batches then
            name them. Defaults to None: batches hold character ids.
        **kwargs: `name`, as for any Keras layer.

    Call arguments:
        ids: Integers `(batch, time, characters)`, or `(batch, time)` with `num_words`;
            each row between `<S>` and `</S>`, and 0 where there is no token.
        initial_state: See `BiLSTM`; so is `packed`.

    Returns:
        Dictionary, with 0 where there is no token:

        - `"lm_embeddings"`: `(batch, layers, time - 2, 2 * projection_dim)`, without
          `<S>` and `</S>`; layer 0 is `word_emb`, doubled;
        - `"lengths"`: int32 `(batch,)`;
        - `"token_embeddings"`: `word_emb`, `(batch, time, projection_dim)`;
        - `"mask"`: Boolean `(batch, time - 2)`.

        With `return_state=True` of the biLM, a pair of that and the final states.

    Example:

    >>> from keras_elmo import BiLM
    >>> bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4)
    >>> outputs = FrozenBiLM(bilm)(np.full((2, 5, 50), 261))
    >>> outputs["lm_embeddings"].shape
    TensorShape([2, 3, 3, 8])
    """

    def __init__(self, bilm, num_words=None, **kwargs):
        super().__init__(**{**kwargs, "trainable": False, "dtype": bilm.dtype_policy})
        self.bilm = bilm
        self.num_words = num_words
        self.word_table: Any = None
        if num_words is not None:
            self.word_table = keras.layers.Embedding(
                num_words + 1, bilm.projection_dim, name="word_table"
            )
            self.word_table.build((None, None))
        for variable in self.variables:
            variable.trainable = False
        self.built = True

    @property
    def trainable(self):
        """False."""
        return False

    @trainable.setter
    def trainable(self, value):
        # A model around this layer passes its own flag on, which may be True.
        pass

    def set_word_vectors(self, vectors):
        """Sets the `word_emb` of words 1, 2, ..., `(num_words, projection_dim)`."""
        self.word_table.embeddings.assign(np.pad(vectors, [(1, 0), (0, 0)]))

    def call(self, ids, initial_state=None, packed=None):
        arguments = {"initial_state": initial_state, "packed": packed}
        if self.word_table is None:
            is_token = ids[..., 0] > 0
            outputs = self.bilm(ids, **arguments)
        else:
            is_token = ids > 0
            word_emb = self.word_table(ids)
            outputs = self.bilm.bilstm(word_emb, mask=is_token, **arguments)
        layers, final = outputs if self.bilm.return_state else (outputs, None)
        if self.word_table is not None:
            layers = [word_emb, *layers]
        results = _without_boundaries(layers, is_token)
        return results if final is None else (results, final)

    def get_config(self):
        return {
            "name": self.name,
            "bilm": keras.saving.serialize_keras_object(self.bilm),
            "num_words": self.num_words,
        }

    @classmethod
    def from_config(cls, config):
        bilm = keras.saving.deserialize_keras_object(config["bilm"])
        return cls(**{**config, "bilm": bilm})


def _without_boundaries(layers, is_token):
    word_emb, *lstm_outputs = layers
    doubled = ops.concatenate([word_emb, word_emb], axis=-1)
    # The tokens of a row come first, so two fewer positions leave two fewer tokens.
    mask = is_token[:, 2:]
    inner = ops.stack([layer[:, 1:-1] for layer in (doubled, *lstm_outputs)], axis=1)
    inner = inner * ops.cast(mask, inner.dtype)[:, None, :, None]
    # The oldest Keras forgets the length where it is known.
    shape = (-1, len(layers), ops.shape(mask)[1], doubled.shape[-1])
    return {
        "lm_embeddings": ops.reshape(inner, shape),
        "lengths": ops.sum(ops.cast(mask, "int32"), axis=1),
        "token_embeddings": word_emb,
        "mask": mask,
    }
