import keras
from keras import ops


class StartState(keras.layers.Layer):
    """The state of the LSTMs that every sentence starts from, if it is not zeros.

    A part of `ElmoEmbedding`. The published models were trained with a state that is
    carried from batch to batch, and bilm-tf and AllenNLP embed so: what comes out
    depends on what was embedded before. Here it depends on one text, once and for all.

    Args:
        sizes: For each layer, the sizes of both directions' output and memory.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Call arguments:
        batch_size: Integer, or a tensor of one.

    Returns:
        The `initial_state` of a `BiLM` for so many rows.

    Example:

    >>> [state.shape[0] for state in StartState([4, 8, 4, 8])(3)]
    [3, 3, 3, 3]
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

    def __call__(self, batch_size):
        # A product, whose last axis the oldest Keras knows the size of.
        rows = ops.ones((batch_size, 1), dtype=self.compute_dtype)
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
        final = None
        for batch in batches:
            _, final = bilm(batch, initial_state=final)
        for variable, value in zip(self.states, final, strict=True):
            variable.assign(value)
