"""A page with all that it needs, which any browser opens without a network."""

import html
import os
import textwrap
from pathlib import Path
from types import ModuleType

from keras_elmo.files.atomic import replacing
from keras_elmo.files.existing import check_file
from keras_elmo.files.optional import import_optional
from keras_elmo.principal_components import principal_components
from keras_elmo.projector.points import Points

_WIDTH = 80  # characters of a line of text
_LINES = 10  # of one text: more would hide the points


def write_html(
    path: str | os.PathLike, points: Points, overwrite: bool = False
) -> None:
    """Writes one self-contained page: principal components, coloured by label.

    To point at one shows its text; a click on a label hides its points.

    Args:
        path: File to write.
        points: What to show.
        overwrite: Whether to replace a file that is there. Defaults to False.

    Raises:
        FileExistsError: if the file is there, without `overwrite`.
        ModuleNotFoundError: if plotly is not installed.
        OSError: if the file can't be written.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "points.html"
    >>> points = Points([[0.0, 1.0], [1.0, 0.0]], ["a cat", "a ship"], ["pets", "sea"])
    >>> write_html(path, points)
    >>> "a cat" in path.read_text()
    True
    """
    graph_objects = import_plotly()
    check_file("path", path, overwrite)
    places = principal_components(points.vectors)
    figure = graph_objects.Figure()
    for label in dict.fromkeys(points.labels):
        mine = [index for index, other in enumerate(points.labels) if other == label]
        figure.add_scatter(
            x=places[mine, 0],
            y=places[mine, 1],
            text=[_as_html(points.texts[index]) for index in mine],
            name=html.escape(label),
            mode="markers",
            hovertemplate="%{text}<extra></extra>",
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


def import_plotly() -> ModuleType:
    """`plotly.graph_objects`.

    Raises:
        ModuleNotFoundError: if it is not installed; it tells how to install it.
    """
    return import_optional("plotly.graph_objects", "project", "Pages")


def _as_html(text: str) -> str:
    """Text for plotly, which takes it for HTML, on a few lines."""
    lines = textwrap.wrap(text, _WIDTH, max_lines=_LINES, placeholder=" ...")
    return "<br>".join(html.escape(line) for line in lines)
