from keras import ops


def where_token(mask, inputs, value):
    """`inputs` where there is a token, and `value` elsewhere."""
    if mask is None:
        return inputs
    return ops.where(mask[..., None], inputs, ops.cast(value, inputs.dtype))
