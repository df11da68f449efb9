"""The names of every format, as tables that `mapping` applies."""

import numpy as np

from keras_elmo.weights.mapping import SAME, Entry, Layout

# bilm-tf's convolutions run over images of height 1.
_HEIGHT_AXIS = Layout(lambda array: array[0], lambda array: array[None])
# The file has no row for id 0, 'no token', so every id in it is one less.
_NO_PADDING_ROW = Layout(
    lambda array: np.pad(array, [(1, 0), (0, 0)]), lambda array: array[1:]
)


def _zero_padding_row(array: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(array[:1]), array[1:]])


# TF-Hub and presets store row 0, HDF5 does not. The row is unused: zeros make every
# format give back the same.
_ZERO_PADDING_ROW = Layout(_zero_padding_row, _zero_padding_row)


def _table(
    prefix: str, lstm: str, kernel: str, bias: str, projection: str, characters: Layout
) -> tuple[Entry, ...]:
    """bilm-tf's names. Programs differ in how they call an LSTM's parts."""
    lstm = prefix + lstm
    return (
        Entry(prefix + "char_embed", ("char_embedding",), characters),
        Entry(
            prefix + "CNN/W_cnn_{index}", ("convolution_{index}/kernel",), _HEIGHT_AXIS
        ),
        Entry(prefix + "CNN/b_cnn_{index}", ("convolution_{index}/bias",)),
        *(
            Entry(
                f"{prefix}CNN_high_{{index}}/{letter}_{gate}",
                (f"highway_{{index}}/{gate}/{part}",),
            )
            for gate in ("carry", "transform")
            for letter, part in (("W", "kernel"), ("b", "bias"))
        ),
        Entry(prefix + "CNN_proj/W_proj", ("projection/kernel",)),
        Entry(prefix + "CNN_proj/b_proj", ("projection/bias",)),
        Entry(
            lstm + kernel,
            (
                "lstm_{direction}_{layer}/kernel",
                "lstm_{direction}_{layer}/recurrent_kernel",
            ),
        ),
        Entry(lstm + bias, ("lstm_{direction}_{layer}/bias",)),
        Entry(lstm + projection, ("lstm_{direction}_{layer}/projection_kernel",)),
    )


# `weights.hdf5` of AllenNLP, bilm-tf and simple_elmo.
HDF5 = _table(
    prefix="",
    lstm="RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/",
    kernel="W_0",
    bias="B",
    projection="W_P_0",
    characters=_NO_PADDING_ROW,
)
# Checkpoints of TF-Hub modules, Google's and DeepPavlov's.
TFHUB = _table(
    prefix="bilm/",
    lstm="RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/rnn/lstm_cell/",
    kernel="kernel",
    bias="bias",
    projection="projection/kernel",
    characters=_ZERO_PADDING_ROW,
)
# Checkpoints that bilm-tf writes while it trains.
BILM_TF = _table(
    prefix="lm/",
    lstm="RNN_{direction}/rnn/multi_rnn_cell/cell_{layer}/lstm_cell/",
    kernel="kernel",
    bias="bias",
    projection="projection/kernel",
    characters=_NO_PADDING_ROW,
)
# Presets use the names of our own variables.
PRESET = (
    Entry("word_embedding", ("word_embedding",), _ZERO_PADDING_ROW),
    *(
        Entry(name, (name,), _ZERO_PADDING_ROW if name == "char_embedding" else SAME)
        for entry in HDF5
        for name in entry.variables
    ),
)


def elmo_for_many_langs(ids: np.ndarray, num_characters: int) -> tuple[Entry, ...]:
    """The names of ELMoForManyLangs, in two files that share none.

    Args:
        ids: Our id of each character that its dictionary numbers.
        num_characters: How many ids there are.
    """

    def by_id(rows: np.ndarray) -> np.ndarray:
        table = np.zeros((num_characters, rows.shape[1]), rows.dtype)
        table[ids] = rows
        return table

    return (
        Entry(
            "char_emb_layer.embedding.weight",
            ("char_embedding",),
            Layout(by_id, lambda table: table[ids]),
        ),
        Entry("word_emb_layer.embedding.weight", ("word_embedding",), _NO_PADDING_ROW),
        Entry(
            "convolutions.{index}.weight", ("convolution_{index}/kernel",), _TRANSPOSED
        ),
        Entry("convolutions.{index}.bias", ("convolution_{index}/bias",)),
        Entry(
            "highways._layers.{index}.weight",
            tuple(f"highway_{{index}}/{gate}/kernel" for gate in _HIGHWAY),
            (_TRANSPOSED, _NEGATED),
        ),
        Entry(
            "highways._layers.{index}.bias",
            tuple(f"highway_{{index}}/{gate}/bias" for gate in _HIGHWAY),
            (SAME, Layout(np.negative, np.negative)),
        ),
        Entry("projection.weight", ("projection/kernel",), _TRANSPOSED),
        Entry("projection.bias", ("projection/bias",)),
        *(
            Entry(
                f"{name}_layer_{{layer}}.{stored}",
                (f"lstm_{direction}_{{layer}}/{variable}",),
                layout,
            )
            for direction, name in enumerate(("forward", "backward"))
            for stored, variable, layout in _LSTM
        ),
    )


def _swap_gates(array: np.ndarray) -> np.ndarray:
    """Input, forget, memory, output to input, memory, forget, output; and back."""
    gates = array.reshape(*array.shape[:-1], 2, 2, -1)
    return gates.swapaxes(-3, -2).reshape(array.shape)


def _add_to_forget_gate(bias: np.ndarray, number: int) -> np.ndarray:
    """A bias in our order with `number` more in the third of the four gates."""
    return bias + np.repeat(np.array([0, 0, number, 0], bias.dtype), len(bias) // 4)


# PyTorch's layers hold their matrices the other way round.
_TRANSPOSED = Layout(np.transpose, np.transpose)
# A highway's gate there says how much of the input is kept, not how much is replaced.
_NEGATED = Layout(lambda array: -array.T, lambda array: -array.T)
_HIGHWAY = ("transform", "carry")
_LSTM = (
    (
        "input_linearity.weight",
        "kernel",
        Layout(lambda a: _swap_gates(a.T), lambda a: _swap_gates(a).T),
    ),
    (
        "state_linearity.weight",
        "recurrent_kernel",
        Layout(lambda a: _swap_gates(a.T), lambda a: _swap_gates(a).T),
    ),
    (
        "state_linearity.bias",
        "bias",
        Layout(
            lambda a: _add_to_forget_gate(_swap_gates(a), -1),
            lambda a: _swap_gates(_add_to_forget_gate(a, 1)),
        ),
    ),
    ("state_projection.weight", "projection_kernel", _TRANSPOSED),
)
