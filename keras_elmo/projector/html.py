"""A page with all that it needs, which any browser opens without a network."""

import html
import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.files.atomic import replacing
from keras_elmo.plots import principal_components
from keras_elmo.projector.points import Points

_WIDTH = 80  # characters of a line of text


def write_html(path: str | os.PathLike, points: Points) -> None:
    """Writes one self-contained page: principal components, coloured by label.

    To point at one shows its text; a click on a label hides its points.

    Args:
        path: File to write, or to replace.
        points: What to show.

    Raises:
        ModuleNotFoundError: if plotly is not installed.
        OSError: if the file can't be written.
    """
    graph_objects = import_plotly()
    places = principal_components(points.vectors)
    labels = np.array(points.labels)
    # plotly takes texts for HTML, which theirs may not become.
    texts = np.array(["<br>".join(_lines(text)) for text in points.texts])
    figure = graph_objects.Figure(
        [
            graph_objects.Scatter(
                x=places[labels == label, 0],
                y=places[labels == label, 1],
                text=texts[labels == label],
                name=html.escape(label),
                mode="markers",
                hovertemplate="%{text}",
            )
            for label in dict.fromkeys(points.labels)
        ]
    )
    figure.update_layout(
        xaxis_title="first principal component",
        yaxis_title="second",
        showlegend=True,
        template="plotly_white",
    )
    with replacing(path) as temporary:
        page = figure.to_html(include_plotlyjs=True, default_height="95vh")
        Path(temporary).write_text(page, encoding="utf-8")


def import_plotly() -> Any:
    """`plotly.graph_objects`.

    Raises:
        ModuleNotFoundError: if it is not installed; it tells how to install it.
    """
    try:
        import plotly.graph_objects
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'Pages need plotly ({error}): pip install "keras-elmo[project]"'
        ) from error
    return plotly.graph_objects


def _lines(text: str) -> list[str]:
    return [html.escape(line) for line in textwrap.wrap(text, _WIDTH)]
