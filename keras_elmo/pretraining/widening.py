"""More cells for the LSTMs of a trained biLM."""

import keras
import numpy as np

from keras_elmo.arguments import check_positive_integer
from keras_elmo.bilm import BiLM
from keras_elmo.weights.variables import named_variables


def widen(bilm: BiLM, units: int) -> BiLM:
    """A biLM with more cells in each LSTM that computes what the given one does.

    The cells that are new read like those of a new model, by the usual random weights,
    but the projection does not read them yet: their rows of it are 0. So training goes
    on from where it was, with more room, rather than from the beginning.

    Reference: Chen et al. 2016, arXiv:1511.05641, which copies units where this adds
    new ones.

    Args:
        bilm: The `BiLM`. It remains as it is.
        units: Size of each direction's LSTM memory, more than `bilm.units`.

    Returns:
        A new `BiLM` with weights of its own.

    Raises:
        ValueError: if an argument is not as described, or `bilm` has LSTMs without a
            projection.

    Example:

    >>> bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4)
    >>> widen(bilm, 12).units
    12
    """
    if not isinstance(bilm, BiLM) or bilm.units == bilm.projection_dim:
        raise ValueError(
            "`bilm` should be a `BiLM` whose LSTMs have a projection, which leaves new "
            f"cells out at first. Received: bilm={bilm!r}. Train a new one"
        )
    check_positive_integer("units", units)
    if units <= bilm.units:
        raise ValueError(
            f"`units` should be more than the {bilm.units} that `bilm` has. Received: "
            f"units={units}. Pass a larger number"
        )
    wide = BiLM.from_config({**bilm.get_config(), "units": units})
    variables = named_variables(wide)
    for name, variable in named_variables(bilm).items():
        old = keras.ops.convert_to_numpy(variable)
        new = keras.ops.convert_to_numpy(variables[name]).copy()
        if name.endswith("projection_kernel"):
            new[: bilm.units], new[bilm.units :] = old, 0
        elif name.startswith("lstm"):
            _by_gate(new, units)[..., : bilm.units] = _by_gate(old, bilm.units)
        else:
            new = old
        variables[name].assign(new)
    return wide


def _by_gate(array: np.ndarray, units: int) -> np.ndarray:
    """A view of the last axis, where the cells of each gate stand together."""
    return array.reshape(*array.shape[:-1], -1, units)
