import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_elmo")
class Perplexity(keras.metrics.Mean):
    """The exponential of the mean negative log likelihood of a token.

    Args:
        **kwargs: `name`, `dtype`, as for any Keras metric.

    Example:

    >>> perplexity = Perplexity()
    >>> perplexity.update_state([0.0, 2.0])
    >>> round(float(perplexity.result()), 3)
    2.718
    """

    def result(self):
        return ops.exp(super().result())
