"""Our own names for a biLM's variables, which every table of names refers to."""

from typing import Any


def named_variables(bilm: Any) -> dict[str, Any]:
    """The `keras.Variable`s of a built `BiLM` by name."""
    char_cnn, bilstm = bilm.char_cnn, bilm.bilstm
    named = {"char_embedding": char_cnn.embedding.embeddings}
    for index, convolution in enumerate(char_cnn.convolutions):
        named[f"convolution_{index}/kernel"] = convolution.kernel
        named[f"convolution_{index}/bias"] = convolution.bias
    for index, highway in enumerate(char_cnn.highways):
        for gate in ("carry", "transform"):
            named[f"highway_{index}/{gate}/kernel"] = getattr(highway, gate).kernel
            named[f"highway_{index}/{gate}/bias"] = getattr(highway, gate).bias
    if char_cnn.projection is not None:
        named["projection/kernel"] = char_cnn.projection.kernel
        named["projection/bias"] = char_cnn.projection.bias
    for direction, layers in enumerate((bilstm.forward_layers, bilstm.backward_layers)):
        for index, layer in enumerate(layers):
            prefix = f"lstm_{direction}_{index}"
            named[f"{prefix}/kernel"] = layer.kernel
            named[f"{prefix}/bias"] = layer.bias
            named[f"{prefix}/recurrent_kernel"] = layer.rnn.cell.recurrent_kernel
            if layer.rnn.cell.projection_kernel is not None:
                named[f"{prefix}/projection_kernel"] = layer.rnn.cell.projection_kernel
    return named
