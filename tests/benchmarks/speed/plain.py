import json
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "helpers"))

from oracles import char_convolution, char_ids, highway, lstm  # noqa: E402


class PlainElmo:
    """ELMo in NumPy, from the files alone: one sentence at a time, nothing saved.

    It shares no code with the package, and so tells whether a fast path is right.

    Args:
        options, weights: Paths of files in AllenNLP's layout.

    Call arguments:
        tokens: List of strings.

    Returns:
        The even mix of all layers, `(tokens, 2 * projection_dim)`.
    """

    def __init__(self, options, weights):
        self._options = json.loads(Path(options).read_text("utf-8"))
        self._weights = {}
        with h5py.File(weights, "r") as file:
            file.visititems(self._read)
        self._known = {}

    def __call__(self, tokens):
        key = tuple(tokens)
        if key not in self._known:
            self._known[key] = self._embed(["<S>", *tokens, "</S>"])[1:-1]
        return self._known[key]

    def _read(self, name, item):
        if isinstance(item, h5py.Dataset):
            self._weights[name] = item[()]

    def _embed(self, tokens):
        word_emb = np.stack([self._encode(token) for token in tokens])
        forward = self._direction(0, word_emb)
        backward = [layer[::-1] for layer in self._direction(1, word_emb[::-1])]
        layers = [[word_emb, word_emb], *zip(forward, backward, strict=True)]
        return np.mean([np.concatenate(pair, axis=1) for pair in layers], axis=0)

    def _encode(self, token):
        get, options = self._weights.get, self._options["char_cnn"]
        activation = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}
        ids = np.array(char_ids(token.encode(), options["max_characters_per_token"]))
        maxima = [
            # The kernels have an axis for the height of an image, of length 1. The file
            # has no row for the id 0.
            char_convolution(
                ids - 1,
                get("char_embed"),
                get(f"CNN/W_cnn_{index}")[0],
                get(f"CNN/b_cnn_{index}"),
            )
            for index in range(len(options["filters"]))
        ]
        x = activation[options["activation"]](np.concatenate(maxima))
        for index in range(options["n_highway"]):
            names = ("W_carry", "b_carry", "W_transform", "b_transform")
            x = highway(x, *[get(f"CNN_high_{index}/{name}") for name in names])
        if get("CNN_proj/W_proj") is not None:
            x = x @ get("CNN_proj/W_proj") + get("CNN_proj/b_proj")
        return x

    def _direction(self, number, x):
        """The layers of one direction, in the order in which it reads."""
        options, layers = self._options["lstm"], []
        for index in range(options["n_layers"]):
            cell = f"RNN_{number}/RNN/MultiRNNCell/Cell{index}/LSTMCell/"
            kernel, bias, projection = (
                self._weights.get(cell + name) for name in ("W_0", "B", "W_P_0")
            )
            hidden = np.zeros(options["projection_dim"], "float32")
            memory = np.zeros(options["dim"], "float32")
            clips = options["cell_clip"], options["proj_clip"]
            outputs, _ = lstm(x, hidden, memory, kernel, bias, projection, *clips)
            if options["use_skip_connections"] and index > 0:
                outputs = outputs + x
            layers.append(outputs)
            x = outputs
        return layers
