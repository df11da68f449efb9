"""Pictures of what ELMo does, by matplotlib (`pip install "keras-elmo[plots]"`).

The functions return a `matplotlib.figure.Figure`: `figure.savefig("senses.png")` writes
it, and a notebook shows it after `%matplotlib inline`. No display is needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "load_figure",
    "plot_curves",
    "plot_mix_weights",
    "plot_senses",
    "plot_similarity",
    "principal_components",
]
_PANEL = 3.6  # inches
_ROUNDING = 1e-6


def plot_senses(
    layers: Mapping[str, np.ndarray], senses: Sequence[str], size: float = _PANEL
) -> Any:
    """The vectors of a word in many sentences, a panel a layer, coloured by sense.

    Each panel shows its layer's two principal components.

    Args:
        layers: For each layer by name, the vectors `(n, dim)`, at least two of them:
            `keras_elmo.probing.embed_words` returns such.
        senses: The sense of each, `n` strings.
        size: Inches of a panel. Defaults to 3.6.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if the numbers of vectors and senses differ.

    Example:

    >>> vectors = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0]])
    >>> figure = plot_senses({"elmo": vectors}, ["river", "river", "money"])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['river', 'money']
    """
    names = list(dict.fromkeys(senses))
    number = np.array([names.index(sense) for sense in senses])
    for layer, vectors in layers.items():
        if np.ndim(vectors) != 2 or len(vectors) != len(senses) or len(senses) < 2:
            raise ValueError(
                "`layers` should hold a vector for each of at least two `senses`, (n, "
                f"dim). Received: {layer!r} of shape {np.shape(vectors)} for "
                f"{len(senses)} senses"
            )
    figure = _figure(len(layers) * size, size)
    panels = figure.subplots(1, len(layers), squeeze=False)[0]
    for panel, (layer, vectors) in zip(panels, layers.items(), strict=True):
        points = principal_components(vectors)
        for index, name in enumerate(names):
            panel.scatter(*points[number == index].T, label=name, s=18, alpha=0.8)
        panel.set(title=layer, xticks=[], yticks=[])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(names), 4))
    return figure


def plot_mix_weights(mixes: Mapping[str, Sequence[float]]) -> Any:
    """How much of each layer is in the mix, a group of bars a task.

    Args:
        mixes: For each task by name, the weights of the layers before the softmax:
            `elmo.mix.mix_weights`.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if the numbers of layers differ, or there is none.

    Example:

    >>> figure = plot_mix_weights({"tagging": [0.0, 0.7, 0.0]})
    >>> [f"{bar.get_height():.2f}" for bar in figure.axes[0].patches]
    ['0.25', '0.50', '0.25']
    """
    weights = [np.asarray(mix, "float64") for mix in mixes.values()]
    if len({mix.shape for mix in weights}) != 1 or weights[0].ndim != 1:
        raise ValueError(
            "`mixes` should hold as many weights for each task, a list of them. "
            f"Received: shapes {[mix.shape for mix in weights]}"
        )
    shares = [
        np.exp(mix - mix.max()) / np.exp(mix - mix.max()).sum() for mix in weights
    ]
    layers = np.arange(len(weights[0]))
    figure = _figure(1.5 * len(layers) + 2, _PANEL)
    panel = figure.subplots()
    width = 0.8 / len(shares)
    for index, (task, share) in enumerate(zip(mixes, shares, strict=True)):
        panel.bar(
            layers + (index - (len(shares) - 1) / 2) * width, share, width, label=task
        )
    names = ["word_emb", *(f"lstm_outputs{k}" for k in layers[1:])]
    panel.set(
        xticks=layers, xticklabels=names, ylabel="weight in the mix", ylim=(0, None)
    )
    panel.legend()
    return figure


def plot_curves(history: Mapping[str, Sequence[float]]) -> Any:
    """What Keras records in training, a panel a metric, by epoch.

    Args:
        history: `model.fit(...).history`; `"val_..."` goes beside its metric.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if there is nothing to show.

    Example:

    >>> figure = plot_curves({"loss": [0.7, 0.5], "val_loss": [0.7, 0.6]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['training', 'validation']
    """
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    if not metrics:
        raise ValueError(
            "`history` should hold a list of values for each metric. Received: "
            f"{history!r}"
        )
    figure = _figure(1.2 * _PANEL * len(metrics), _PANEL)
    for panel, metric in zip(
        figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True
    ):
        for key, label in ((metric, "training"), (f"val_{metric}", "validation")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                panel.plot(epochs, history[key], marker="o", label=label)
        panel.set(xlabel="epoch", ylabel=metric)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.legend()
    return figure


def plot_similarity(
    similarity: np.ndarray, labels: Sequence[str], others: Sequence[str] | None = None
) -> Any:
    """A heat map of cosines.

    Args:
        similarity: `(n, m)`, such as `ElmoEmbedding.similarity` returns.
        labels: Texts of the `n` rows.
        others: Texts of the `m` columns. Defaults to None: `labels`.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
        ValueError: if there are other numbers of texts.

    Example:

    >>> figure = plot_similarity(np.eye(2), ["cats", "dogs"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1.00', '0.00', '0.00', '1.00']
    """
    others = labels if others is None else others
    if np.shape(similarity) != (len(labels), len(others)):
        raise ValueError(
            "`similarity` should have a row for each of `labels`, and a column for "
            f"each of `others`. Received: shape {np.shape(similarity)} for "
            f"{len(labels)} and {len(others)} texts"
        )
    figure = _figure(2.5 + 0.6 * len(others), 1.5 + 0.6 * len(labels))
    panel = figure.subplots()
    image = panel.imshow(similarity, vmin=min(0, np.min(similarity)), vmax=1)
    panel.set_xticks(range(len(others)), others, rotation=45, ha="right")
    panel.set_yticks(range(len(labels)), labels)
    for (row, column), value in np.ndenumerate(similarity):
        color = "black" if value > 0.6 else "white"
        panel.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
    figure.colorbar(image, ax=panel, label="cosine")
    return figure


def principal_components(vectors: np.ndarray, count: int = 2) -> np.ndarray:
    """Vectors `(n, dim)` seen along the directions of most variance, `(n, count)`.

    Example:

    >>> points = principal_components(np.array([[1.0, 1.0], [3.0, 3.0]]))
    >>> [f"{x:.2f}" for x in points[:, 0]]
    ['-1.41', '1.41']
    """
    vectors = np.asarray(vectors, "float32")
    centered = vectors - vectors.mean(axis=0)
    # The signs of a decomposition are arbitrary, and may differ between machines.
    left, sizes, right = np.linalg.svd(centered, full_matrices=False)
    # Vectors that differ by rounding are one point, however near one looks.
    sizes[sizes < _ROUNDING * np.linalg.norm(vectors)] = 0
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    components = left * (sizes * signs)
    padded = np.zeros((len(components), count), "float32")
    padded[:, : components.shape[1]] = components[:, :count]
    return padded


def load_figure() -> type:
    """matplotlib's `Figure`; to call this first spares hours of work without pictures.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'Pictures need matplotlib ({error}): pip install "keras-elmo[plots]"'
        ) from error
    return Figure


def _figure(width: float, height: float) -> Any:
    return load_figure()(figsize=(width, height), layout="constrained")
