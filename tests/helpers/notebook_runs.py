"""Notebooks that are run from the first cell to the last, in a folder of their own."""

import itertools
import os
import re
from pathlib import Path

import nbclient
import nbformat

FOLDER = Path(__file__).parents[2] / "notebooks"
# Outputs of cells with this tag are not kept, because they quote text that is fetched.
_FETCHED = "fetched-text"
_KINDS = ("text/plain", "image/png")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# A notebook that relies on names or files of the one before it is to fail.
_ANEW = """
import os
os.chdir({folder!r})
os.environ.update({environment!r})
import keras
keras.utils.clear_session()
%reset -f
"""


def execute(notebook, kernel, folder, **environment):
    """Runs all cells, whose outputs are then in the notebook.

    Args:
        notebook: The notebook.
        kernel: A manager of kernels, which may have run others before.
        folder: Where to run it.
        environment: Variables that say what to read in place of what is fetched.
    """
    anew = _ANEW.format(folder=os.fspath(folder), environment=environment)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(anew))
    # A cell that hangs ends so; a slow machine takes minutes for the longest.
    nbclient.NotebookClient(notebook, kernel, timeout=1200).execute()
    del notebook.cells[0]


def keep_outputs(notebook):
    """Leaves what is to be committed: text and pictures, of text that is not fetched.

    Numbers of cells and bars of progress go, so that the next run of the same code
    changes little.
    """
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            is_fetched = _FETCHED in cell.metadata.get("tags", [])
            cell.execution_count = None
            cell.outputs = [] if is_fetched else list(_kept(cell.outputs))


def text_of(cell):
    """What a cell has printed and returned."""
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    )


def kinds_of(cell):
    """What kinds of output a cell has, such as `"stdout"` or `"image/png"`."""
    return {
        kind
        for output in cell.get("outputs", [])
        for kind in output.get("data", [output.get("name", "error")])
    }


def _kept(outputs):
    """The outputs without warnings, and without other forms of the same."""
    shown = [output for output in outputs if output.get("name") != "stderr"]
    # What a cell prints may come in several parts, which is a matter of time.
    for is_stream, group in itertools.groupby(shown, _is_stream):
        neighbours = list(group)
        yield from [_joined(neighbours)] if is_stream else map(_plain, neighbours)


def _is_stream(output):
    return output.output_type == "stream"


def _joined(streams):
    """Streams as one."""
    streams[0].text = _as_shown("".join(stream.text for stream in streams))
    return streams[0]


def _plain(result):
    """A result without its number, in the kinds that are kept."""
    if result.output_type == "execute_result":
        result.execution_count = None
    result.metadata = {}
    result.data = {kind: result.data[kind] for kind in _KINDS if kind in result.data}
    result.data["text/plain"] = _as_shown(result.data["text/plain"])
    return result


def _as_shown(text):
    """Text without colours, and without bars of progress, which replace themselves."""
    lines = _CONTROL.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line for line in lines if "\r" not in line)
