"""Names and shapes of a biLM's variables, which every table of names refers to."""

from collections.abc import Mapping
from typing import Any

from keras_elmo.arguments import check_filters, check_positive_integer
from keras_elmo.char_ids import NUM_IDS

# No model comes near these; a broken or hostile file may.
MAX_SIZES = {
    "units": 10**6,
    "projection_dim": 10**6,
    "embedding_dim": 10**6,
    "max_characters": 10**4,
    "num_layers": 100,
    "num_highway_layers": 100,
    "num_characters": 2 * 10**6,  # Unicode has 1.1 million
    "num_words": 10**8,
    "word_embedding_dim": 10**6,
}
# Only models with a vocabulary of their own say these.
_OF_BYTES = {"num_characters": NUM_IDS, "num_words": 0, "word_embedding_dim": 100}
# 0 says that the model has none.
_MAY_BE_0 = {"num_highway_layers", "num_words"}
MAX_CONVOLUTIONS = 100
MAX_FILTERS = 10**6


def named_variables(bilm: Any) -> dict[str, Any]:
    """The `keras.Variable`s of a built `BiLM` by name."""
    char_cnn, bilstm = bilm.char_cnn, bilm.bilstm
    named = {"char_embedding": char_cnn.embedding.embeddings}
    if char_cnn.word_embedding is not None:
        named["word_embedding"] = char_cnn.word_embedding.embeddings
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
            named[f"{prefix}/recurrent_kernel"] = layer.recurrent_kernel
            if layer.projection_kernel is not None:
                named[f"{prefix}/projection_kernel"] = layer.projection_kernel
    return named


def variable_shapes(arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of the variables of `BiLM(**arguments)`, by our names.

    Raises:
        ValueError: if a size is missing, is no positive integer, or is absurd.
    """
    arguments = {**_OF_BYTES, **arguments}
    sizes = _sizes(arguments)
    units, dim = sizes["units"], sizes["projection_dim"]
    embedding_dim = sizes["embedding_dim"]
    filters = check_filters("filters", arguments["filters"], sizes["max_characters"])
    num_filters = sum(count for _, count in filters)
    if len(filters) > MAX_CONVOLUTIONS or num_filters > MAX_FILTERS:
        raise ValueError(
            f"`filters` should be at most {MAX_CONVOLUTIONS} pairs, of "
            f"{MAX_FILTERS:,} filters in all. Received: {len(filters):,} pairs of "
            f"{num_filters:,}"
        )

    shapes: dict[str, tuple[int, ...]] = {
        "char_embedding": (sizes["num_characters"], embedding_dim)
    }
    num_features = num_filters
    if sizes["num_words"]:
        word_dim = sizes["word_embedding_dim"]
        shapes["word_embedding"] = (1 + sizes["num_words"], word_dim)
        num_features += word_dim
    for index, (width, count) in enumerate(filters):
        shapes[f"convolution_{index}/kernel"] = (width, embedding_dim, count)
        shapes[f"convolution_{index}/bias"] = (count,)
    for index in range(sizes["num_highway_layers"]):
        for gate in ("carry", "transform"):
            shapes[f"highway_{index}/{gate}/kernel"] = (num_filters, num_filters)
            shapes[f"highway_{index}/{gate}/bias"] = (num_filters,)
    if num_features != dim:
        shapes["projection/kernel"] = (num_features, dim)
        shapes["projection/bias"] = (dim,)
    for direction in range(2):
        for index in range(sizes["num_layers"]):
            prefix = f"lstm_{direction}_{index}"
            shapes[f"{prefix}/kernel"] = (dim, 4 * units)
            shapes[f"{prefix}/bias"] = (4 * units,)
            shapes[f"{prefix}/recurrent_kernel"] = (dim, 4 * units)
            if dim != units:
                shapes[f"{prefix}/projection_kernel"] = (units, dim)
    return shapes


def _sizes(arguments: Mapping[str, Any]) -> dict[str, int]:
    for name in ("filters", *MAX_SIZES):
        if name not in arguments:
            raise ValueError(f"`{name}` is missing among the sizes of the model")
    for name, most in MAX_SIZES.items():
        value = arguments[name]
        # 0.0 and False equal 0, and are no sizes.
        if name not in _MAY_BE_0 or value != 0 or type(value) is not int:
            check_positive_integer(name, value)
        if value > most:
            raise ValueError(
                f"`{name}` should be at most {most:,}. Received: {name}={value:,}"
            )
    if arguments["num_characters"] < NUM_IDS:
        raise ValueError(
            f"`num_characters` should be at least {NUM_IDS}. Received: "
            f"num_characters={arguments['num_characters']}"
        )
    if arguments["projection_dim"] > arguments["units"]:
        raise ValueError(
            "`projection_dim` should not exceed `units`. Received: projection_dim="
            f"{arguments['projection_dim']}, units={arguments['units']}"
        )
    return {name: arguments[name] for name in MAX_SIZES}
