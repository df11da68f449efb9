"""Pictures of what ELMo does, by matplotlib (`pip install "keras-elmo[plots]"`).

The functions return a `matplotlib.figure.Figure`: `figure.savefig("senses.png")` writes
it, and a notebook shows it after `%matplotlib inline`. No display is needed.
"""

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np

from keras_elmo.files.optional import import_optional
from keras_elmo.principal_components import principal_components

__all__ = [
    "import_figure",
    "plot_curves",
    "plot_mix_weights",
    "plot_senses",
    "plot_similarity",
]
# Matplotlib counts in inches, so these are a picture's, a square's of a heat map and,
# roughly, a letter's.
_PANEL, _CELL, _CHARACTER = 3.6, 0.6, 0.09
_LONGEST_LABEL = 60


def plot_senses(
    layers: Mapping[str, np.ndarray], senses: Sequence[str], size: float = _PANEL
) -> Any:
    """The vectors of a word in many sentences, a panel a layer, coloured by sense.

    Each panel shows its layer's two principal components. A layer that knows no
    context, such as `"word_emb"`, has one vector for all sentences: one point.

    Args:
        layers: For each layer by name, the vectors `(n, dim)`:
            `keras_elmo.probing.embed_words` returns such.
        senses: The sense of each, `n` strings.
        size: Inches of a panel. Defaults to 3.6.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if the numbers of vectors and senses differ, there are no layers,
            or a vector is not finite.

    Example:

    >>> vectors = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0]])
    >>> figure = plot_senses({"elmo": vectors}, ["river", "river", "money"])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['river', 'money']
    """
    for layer, vectors in layers.items():
        if np.ndim(vectors) != 2 or len(vectors) != len(senses):
            raise ValueError(
                "`layers` should hold (n, dim), a vector for each of `senses`. "
                f"Received: {layer!r} of shape {np.shape(vectors)} for {len(senses)} "
                "senses. Give a sense for each vector"
            )
    places = {layer: principal_components(layers[layer]) for layer in layers}
    figure = _figure(max(len(layers), 1) * size, size)
    names = list(dict.fromkeys(senses))
    colors = dict(zip(names, _colors(len(names)), strict=True))
    panels = _panels(figure, "layers", layers)
    for panel, (layer, points) in zip(panels, places.items(), strict=True):
        for name in names:
            mine = points[[sense == name for sense in senses]]
            panel.scatter(*mine.T, label=_plain(name), color=colors[name], s=18)
        panel.set(title=_plain(layer), xticks=[], yticks=[])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(names), 4))
    return figure


def plot_mix_weights(mixes: Mapping[str, Sequence[float]]) -> Any:
    """How much of each layer is in the mix, a group of bars a task.

    Args:
        mixes: For each task by name, the weights of the layers before the softmax:
            `elmo.mix.mix_weights`.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if the numbers of layers differ, or there is none.

    Example:

    >>> figure = plot_mix_weights({"tagging": [0.0, 0.7, 0.0]})
    >>> [f"{bar.get_height():.2f}" for bar in figure.axes[0].patches]
    ['0.25', '0.50', '0.25']
    """
    weights = [np.asarray(mix, "float64") for mix in mixes.values()]
    shapes = [mix.shape for mix in weights]
    if len(set(shapes)) != 1 or len(shapes[0]) != 1 or not weights[0].size:
        raise ValueError(
            "`mixes` should hold a list of weights for each task, of one length. "
            f"Received: shapes {shapes}. Give `elmo.mix.mix_weights` of models with as "
            "many layers"
        )
    layers = np.arange(len(weights[0]))
    figure = _figure(1.5 * len(layers) + 2, _PANEL)
    panel = figure.subplots()
    width = 0.8 / len(weights)
    colors = _colors(len(weights))
    for index, (task, mix) in enumerate(zip(mixes, weights, strict=True)):
        shares = np.exp(mix - mix.max())
        shares /= shares.sum()
        places = layers + (index - (len(weights) - 1) / 2) * width
        panel.bar(places, shares, width, label=_plain(task), color=colors[index])
    names = ["word_emb", *(f"lstm_outputs{k}" for k in layers[1:])]
    panel.set(xticks=layers, xticklabels=names, ylabel="weight in the mix")
    panel.legend()
    return figure


def plot_curves(history: Mapping[str, Sequence[float]]) -> Any:
    """What Keras records in training, a panel a metric, by epoch.

    Args:
        history: `model.fit(...).history`; `"val_..."` goes beside its metric.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if there is nothing to show.

    Example:

    >>> figure = plot_curves({"loss": [0.7, 0.5], "val_loss": [0.7, 0.6]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['training', 'validation']
    """
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    figure = _figure(1.2 * _PANEL * max(len(metrics), 1), _PANEL)
    panels = _panels(figure, "history", metrics)
    for panel, metric in zip(panels, metrics, strict=True):
        for key, label in ((metric, "training"), (f"val_{metric}", "validation")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                panel.plot(epochs, history[key], marker="o", label=label)
        panel.set(xlabel="epoch", ylabel=_plain(metric))
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.legend()
    return figure


def plot_similarity(
    similarity: np.ndarray, labels: Sequence[str], others: Sequence[str] | None = None
) -> Any:
    """A heat map of cosines.

    Args:
        similarity: `(n, m)`, such as `ElmoEmbedding.similarity` returns.
        labels: Texts of the `n` rows, of which 60 characters are shown.
        others: Texts of the `m` columns, cut likewise. Defaults to None: `labels`.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if there are other numbers of texts, or none.

    Example:

    >>> figure = plot_similarity(np.eye(2), ["cats", "dogs"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1.00', '0.00', '0.00', '1.00']
    """
    others = labels if others is None else others
    shape = len(labels), len(others)
    if np.shape(similarity) != shape or 0 in shape:
        raise ValueError(
            "`similarity` should have a row for each of `labels` and a column for each "
            f"of `others`, if any. Received: shape {np.shape(similarity)} for "
            f"{shape[0]} and {shape[1]} texts. Give the texts that were compared"
        )
    rows, columns = (
        [_plain(_cut(text)) for text in texts] for texts in (labels, others)
    )
    # The texts of the columns are aslant, as far to the left as they are high.
    aslant = _CHARACTER * max(map(len, columns)) / 2**0.5
    left = max(_CHARACTER * max(map(len, rows)), aslant)
    width, height = 1.5 + left + _CELL * len(columns), 0.5 + aslant + _CELL * len(rows)
    figure = _figure(width, height)
    figure.set_layout_engine("compressed")  # which knows that squares stay squares
    panel = figure.subplots()
    image = panel.imshow(similarity, vmin=min(0, np.min(similarity)), vmax=1)
    panel.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    panel.set_yticks(range(len(rows)), rows)
    for (row, column), value in np.ndenumerate(similarity):
        color = "black" if value > 0.6 else "white"
        panel.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
    figure.colorbar(image, ax=panel, label="cosine")
    return figure


def import_figure() -> Any:
    """matplotlib's `Figure`, to import before hours of work rather than after.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed; it tells how to install it.

    Example:

    >>> import_figure().__name__
    'Figure'
    """
    return import_optional("matplotlib.figure", "plots", "Pictures").Figure


def _figure(width: float, height: float) -> Any:
    return import_figure()(figsize=(width, height), layout="constrained")


def _panels(figure: Any, argument: str, names: Sized) -> Any:
    """A panel for each name, side by side."""
    if not len(names):
        raise ValueError(
            f"`{argument}` should hold something to show, by name. Received: nothing"
        )
    return figure.subplots(1, len(names), squeeze=False)[0]


def _colors(count: int) -> Any:
    """So many colours, none of them twice."""
    colormaps = import_optional("matplotlib", "plots", "Pictures").colormaps
    if count <= 10:
        return colormaps["tab10"].colors[:count]
    return colormaps["turbo"](np.linspace(0, 1, count))


def _cut(text: str) -> str:
    """As much of a text as leaves room for the picture."""
    is_short = len(text) <= _LONGEST_LABEL
    return text if is_short else f"{text[: _LONGEST_LABEL - 1]}…"


def _plain(text: str) -> str:
    """Text for matplotlib, as it is.

    Between two dollars it would be set as mathematics, and after a `_` left out of
    legends.
    """
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text
