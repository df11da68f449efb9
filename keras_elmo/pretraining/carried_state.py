import keras
import tensorflow as tf


class CarriedState(keras.layers.Layer):
    """The state of the LSTMs between two batches, one for each replica.

    Each replica reads rows of text of its own, so that each has a state of its own. It
    is never averaged over replicas, and `Model.save_weights` saves all of them.

    Args:
        batch_size: Rows of a batch.
        sizes: Sizes of the tensors that make up the state.
        **kwargs: `name`, as for any Keras layer.
    """

    def __init__(self, batch_size, sizes, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self._strategy = tf.distribute.get_strategy()
        # A Keras variable has one value for all replicas; these have one for each.
        self._tensors = [
            tf.Variable(
                tf.zeros((batch_size, size)),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                name=f"{self.name}_{index}",
            )
            for index, size in enumerate(sizes)
        ]
        self.built = True

    def read(self):
        """The list of this replica's tensors `(batch_size, size)`."""
        return [variable.read_value() for variable in self._tensors]

    def assign(self, tensors):
        """Keeps `tensors` for the next batch, without their gradients."""
        for variable, tensor in zip(self._tensors, tensors, strict=True):
            # In mixed precision they have 16 bits, which go into 32 without loss.
            variable.assign(tf.cast(tf.stop_gradient(tensor), variable.dtype))

    def by_replica(self):
        """The `tf.Variable`s of this process, by `name/index/replica`."""
        return {
            f"{self.name}/{index}/{replica}": local
            for index, variable in enumerate(self._tensors)
            for replica, local in enumerate(
                self._strategy.experimental_local_results(variable)
            )
        }

    # `Model.save_weights` and `Model.load_weights` call these two.

    def save_own_variables(self, store):
        for name, variable in self.by_replica().items():
            store[name.replace("/", "_")] = variable.numpy()

    def load_own_variables(self, store):
        for name, variable in self.by_replica().items():
            variable.assign(store[name.replace("/", "_")][()])
