import keras
from keras import ops


class StartState(keras.layers.Layer):
    """The state of the LSTMs that every sentence starts from, if it is not zeros.

    A part of `ElmoEmbedding`. The published models were trained with a state that is
    carried from batch to batch, and bilm-tf and AllenNLP embed so: what comes out
    depends on what was embedded before. Here it depends on one text, once and for all.

    Args:
        sizes: `BiLSTM.state_sizes` of the model.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        inputs: Any tensor `(batch, ...)`, of which only the number of rows counts.

    Returns:
        The `initial_state` of a `BiLM`, a list of `(batch, size)` in the compute dtype.

    Example:

    >>> import numpy as np
    >>> states = StartState([4, 8, 4, 8])(np.zeros((3, 1)))
    >>> [tuple(state.shape) for state in states]
    [(3, 4), (3, 8), (3, 4), (3, 8)]
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(**kwargs)
        self.states = [
            self.add_weight(
                name=f"state_{index}",
                shape=(1, size),
                initializer="zeros",
                trainable=False,
            )
            for index, size in enumerate(sizes)
        ]
        self.built = True

    def call(self, inputs):
        # A product keeps the size of the last axis known, on the oldest Keras too.
        rows = ops.ones((ops.shape(inputs)[0], 1), dtype=self.compute_dtype)
        return [rows * ops.cast(state, self.compute_dtype) for state in self.states]

    def named_variables(self):
        """The variables by name, for files."""
        return {variable.name: variable for variable in self.states}

    def warm_up(self, bilm, batches):
        """Reads text from zeros on, and keeps the state at its end.

        Args:
            bilm: A `BiLM` with `return_state=True`.
            batches: Its inputs, of one row each, in order.
        """
        final: list = []
        for batch in batches:
            _, final = bilm(batch, initial_state=final or None)
        for variable, value in zip(self.states, final, strict=True):
            variable.assign(value)
