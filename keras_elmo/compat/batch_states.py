import keras
import tensorflow as tf


class BatchStates(keras.layers.Layer):
    """The states of the LSTMs at the end of the last batch, one for each of its rows.

    The first sentence of a batch starts from where the first sentence of the batch
    before ended, and so on, whatever their lengths are. A batch of more rows than ever
    before starts the new ones from zeros; one of fewer leaves the states of the others
    as they are, for a later batch that has so many rows.

    No file keeps them, as they are none of the model's weights.

    Reference: bilm-tf (`bilm/model.py`); AllenNLP
    (`allennlp/modules/encoder_base.py`).

    Args:
        sizes: `BiLSTM.state_sizes` of the model.
        **kwargs: `name`, `dtype`, as for any Keras layer.

    Example:

    >>> states = BatchStates([2, 3])
    >>> states.assign([tf.ones([1, 2]), tf.ones([1, 3])])
    >>> states.read(2)[0].numpy().tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(trainable=False, **kwargs)
        # A Keras variable has one shape, and one value for all replicas; the number of
        # rows of these changes, and each replica reads sentences of its own.
        self._tensors = [
            tf.Variable(
                tf.zeros((0, size), self.compute_dtype),
                trainable=False,
                shape=(None, size),
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                name=f"state_{index}",
            )
            for index, size in enumerate(sizes)
        ]
        self.built = True

    def read(self, rows):
        """The `initial_state` of a batch, a list of `(rows, size)`."""
        states = []
        for variable in self._tensors:
            state = variable.read_value()[:rows]
            states.append(tf.pad(state, [[0, rows - tf.shape(state)[0]], [0, 0]]))
        return states

    def assign(self, tensors):
        """Keeps the final state of a batch, without its gradients."""
        for variable, tensor in zip(self._tensors, tensors, strict=True):
            others = variable.read_value()[tf.shape(tensor)[0] :]
            variable.assign(tf.concat([tf.stop_gradient(tensor), others], axis=0))

    def carry(self, run, inputs, rows, **options):
        """Calls a function from the states of the last batch, and keeps its final ones.

        Args:
            run: Function of `inputs`, an `initial_state` and `options`, which returns
                its outputs and the final states.
            inputs: A batch.
            rows: The number of its rows.
            **options: Passed on.

        Returns:
            The outputs.
        """
        outputs, final_states = run(inputs, self.read(rows), **options)
        self.assign(final_states)
        return outputs

    def reset(self):
        """Starts the next batch from zeros."""
        for variable in self._tensors:
            variable.assign(tf.zeros((0, variable.shape[1]), variable.dtype))
