import functools

import tensorflow as tf

from keras_elmo.char_ids import is_encoded, length_mask
from keras_elmo.embedding.compiled import CompiledBiLM, PureCall
from keras_elmo.embedding.encoded_inputs import encode_inputs
from keras_elmo.embedding.outputs import all_outputs, fill_up


class Computation:
    """What a call of an `ElmoEmbedding` computes, from tensors to tensors.

    Args:
        elmo: The built `ElmoEmbedding`.
        jit_compile: See `ElmoEmbedding`. Defaults to None: as the layer says.

    Call arguments:
        inputs: See `ElmoEmbedding`, as tensors.
        output_key: The only output to compute, or None for all.
        training: Whether dropout acts.

    Returns:
        The outputs by name, and the mask `(batch, max_length)` of the sequences.
    """

    def __init__(self, elmo, jit_compile=None):
        self._elmo = elmo
        if jit_compile is None:
            jit_compile = elmo.jit_compile
        self.run_bilm = CompiledBiLM(elmo.bilm, elmo.warm_state, jit_compile)
        self._run_in_graph = PureCall(self._compute, trained=elmo.variables)

    def __call__(self, inputs, output_key, training):
        if not tf.executing_eagerly():
            # Where integers come into a graph, XLA may be about to compile all of it.
            packed = not is_encoded(inputs)
            return self._compute(inputs, packed, output_key, training)
        if training and self._elmo.dropout:
            # It counts its calls in a variable, which a pure function can't do.
            return self._compute(inputs, True, output_key, training)
        return self._call_in_graph(inputs, output_key)

    def mask(self, inputs):
        """The mask of `inputs` alone."""
        encoded, max_length = self.encode(inputs, padded=True)
        mask = length_mask(encoded, self._elmo.sentence_boundaries)
        return fill_up(mask, max_length)

    def encode(self, inputs, padded):
        """See `encode_inputs`, of which the layer decides the other arguments."""
        return encode_inputs(
            inputs,
            self._elmo.tokenizer,
            self._elmo.sentence_boundaries,
            self._elmo.bilm.max_characters,
            self._elmo.word_cache,
            padded,
            self._elmo.token_vocabulary,
        )

    def of_encoded(
        self, encoded, packed, output_key=None, max_length=None, training=False
    ):
        """The same of an encoded batch, filled up to `max_length` if it is given.

        Args:
            encoded: An encoded batch of any form, see `keras_elmo.char_ids`.
            packed: Whether padding may be left out, see `BiLSTM`.
            output_key: As in a call; so is `training`.
            max_length: The length of the sequences, if not that of the batch.
        """
        elmo = self._elmo
        mask = length_mask(encoded, elmo.sentence_boundaries)
        layers = self.run_bilm(encoded, packed)  # of (batch, time, ...)
        if not elmo.bilm.trainable_variables:
            # TensorFlow would compute gradients of frozen weights of a SavedModel too.
            layers = [tf.stop_gradient(layer) for layer in layers]
        if elmo.sentence_boundaries:
            layers = [layer[:, 1:-1] for layer in layers]
        dropout = functools.partial(elmo.dropout_layer, training=training)
        values = all_outputs(layers, mask, elmo.mix, dropout)
        outputs = dict(zip(elmo.output_keys, values, strict=True))
        if output_key is not None:
            outputs = {output_key: outputs[output_key]}
        is_token = tf.expand_dims(mask, -1)
        for key, output in outputs.items():
            if key != "default":
                output = output * tf.cast(is_token, output.dtype)
                outputs[key] = fill_up(output, max_length)
        return outputs, fill_up(mask, max_length)

    def _compute(self, inputs, packed, output_key, training=False):
        encoded, max_length = self.encode(inputs, padded=not packed)
        return self.of_encoded(encoded, packed, output_key, max_length, training)

    def _call_in_graph(self, inputs, output_key):
        """One graph, since op by op a call would take several times as long."""
        # A graph for all sizes knows few shapes, and names less well what is wrong.
        if is_encoded(inputs):
            self.encode(inputs, padded=True)
        elif not isinstance(inputs, dict) and inputs.shape[1:] == [1]:
            inputs = inputs[:, 0]
        try:
            return self._run_in_graph(inputs, packed=True, output_key=output_key)
        except (ValueError, tf.errors.InvalidArgumentError):
            self.encode(inputs, padded=True)
            raise
