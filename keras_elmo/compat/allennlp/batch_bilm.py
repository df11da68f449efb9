from typing import Any

import tensorflow as tf

from keras_elmo.bilm import BiLM
from keras_elmo.char_ids import positions
from keras_elmo.compat.batch_states import BatchStates
from keras_elmo.embedding.compiled import CompiledBiLM, PureCall


class BatchBiLM:
    """Calls a `BiLM` batch by batch, each from zeros or from where the last one ended.

    Args:
        bilm: A `BiLM`, with `return_state=True` if there are `states`.
        states: The `BatchStates` to start from and to keep; or None, for zeros.

    Call arguments:
        encoded: An encoded batch, see `keras_elmo.char_ids`.
        packed: Whether padding may be left out, see `BiLSTM`.

    Returns:
        The list of the biLM's layers.
    """

    def __init__(self, bilm: BiLM, states: BatchStates | None):
        self._states = states
        if states is None:
            self._run: Any = CompiledBiLM(bilm, None, jit_compile="auto")
            return
        trained = {id(variable) for variable in bilm.finetuned_variables}
        self._run = PureCall(
            bilm,
            trained=bilm.finetuned_variables,
            frozen=[v for v in bilm.variables if id(v) not in trained],
        )

    def __call__(self, encoded: dict[str, Any], packed: bool) -> list[Any]:
        if self._states is None:
            return self._run(encoded, packed)
        rows = tf.shape(positions(encoded))[0]
        return self._states.carry(self._run, encoded, rows, packed=packed)
