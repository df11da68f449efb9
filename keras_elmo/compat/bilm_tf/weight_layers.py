"""ELMo as bilm-tf makes it of the layers of a biLM."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_elmo.arguments import check_boolean
from keras_elmo.layers import AttachMask, ScalarMix


class BilmOps(dict):
    """What a `BidirectionalLanguageModel` returns, which knows the mixes made of it.

    Args:
        outputs: See `BatchReader`.
        mixes: By name, the `ScalarMix` of each `weight_layers`.
    """

    def __init__(self, outputs: Mapping[str, Any], mixes: dict[str, ScalarMix]):
        super().__init__(outputs)
        self.mixes = mixes


def weight_layers(
    name: str,
    bilm_ops: Mapping[str, Any],
    l2_coef: float | None = None,
    use_top_only: bool = False,
    do_layer_norm: bool = False,
) -> dict[str, Any]:
    """A learned weighted sum of the layers of a biLM.

    The weights belong to the name: of one `BidirectionalLanguageModel`, the same name
    gives the same weights, as bilm-tf does under `reuse=True`. In a functional Keras
    model they are among its weights; for a training loop of one's own,
    `BidirectionalLanguageModel.mixes[name].trainable_variables` are these.

    Reference: bilm-tf (`bilm/elmo.py`), Peters et al. 2018, equation 1.

    Args:
        name: Name of the weights, such as `"input"`.
        bilm_ops: What a `BidirectionalLanguageModel` returned.
        l2_coef: Factor of the sum of the squares of the weights in the loss, the
            paper's lambda. Defaults to None, for 0.
        use_top_only: Whether to take the last layer alone, scaled. Defaults to False.
        do_layer_norm: Whether to normalise each layer over the tokens of the batch, on
            all of which the result then depends. Defaults to False.

    Returns:
        Dictionary of

        - `"weighted_op"`: `(batch, time, 2 * projection_dim)`, 0 where there is no
          token (bilm-tf leaves a third of the vector of an empty token there), with a
          Keras mask;
        - `"regularization_op"`: the term for the loss, a scalar. A Keras model adds it
          to its loss by itself.

    Raises:
        ValueError: if an argument is not as described, or the name was used with
            others.
    """
    if not {"lm_embeddings", "mask"} <= set(bilm_ops):
        raise ValueError(
            "`bilm_ops` should be what a `BidirectionalLanguageModel` returns. "
            f"Received: keys {sorted(bilm_ops)}"
        )
    check_boolean("use_top_only", use_top_only)
    check_boolean("do_layer_norm", do_layer_norm)
    is_number = isinstance(l2_coef, int | float) and not isinstance(l2_coef, bool)
    if l2_coef is not None and not (is_number and l2_coef >= 0):
        raise ValueError(
            "`l2_coef` should be None, or a number that is not negative. Received: "
            f"l2_coef={l2_coef!r}"
        )
    layers = ops.unstack(bilm_ops["lm_embeddings"], axis=1)
    # The one weight of the last layer alone has no effect, nor should it have a loss.
    l2_coef = 0.0 if use_top_only or l2_coef is None else l2_coef
    mix = ScalarMix(
        num_layers=1 if use_top_only else len(layers),
        do_layer_norm=do_layer_norm and not use_top_only,
        weights_regularizer=None
        if use_top_only
        else keras.regularizers.L2(l2_coef or 0),
        name=f"{name}_ELMo",
    )
    mix = _of_this_name(name, mix, getattr(bilm_ops, "mixes", {}))
    mask = bilm_ops["mask"]
    mixed = mix(layers[-mix.num_layers :], mask=mask)
    return {
        # The oldest Keras gives the result of a layer no mask that was an argument.
        "weighted_op": AttachMask()([mixed, mask]),
        "regularization_op": l2_coef * ops.sum(ops.square(mix.mix_weights)),
    }


def _of_this_name(name: str, mix: ScalarMix, mixes: dict[str, ScalarMix]) -> ScalarMix:
    """The mix that has this name already, or else this one."""
    known = mixes.setdefault(name, mix)
    expected, received = known.get_config(), mix.get_config()
    differing = [key for key in expected if expected[key] != received[key]]
    if differing:
        raise ValueError(
            f"`name` should be a new one, or come with the arguments of before, whose "
            f"weights it shares. Received: name={name!r} with other {differing}. "
            "Choose another name"
        )
    return known
