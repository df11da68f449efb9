"""Runs notebooks and keeps what they print, to be committed with them.

    python tests/helpers/keep_outputs.py quickstart phrases

`IMDB` and `NOVEL` name the archive of the reviews and the novel, or these are fetched.
"""

import argparse
import os
import tempfile

import jupyter_client
import nbformat
from notebook_runs import FOLDER, execute, keep_outputs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    parser.add_argument("names", nargs="+", choices=names)
    texts = {name: os.environ.get(name) for name in ("IMDB", "NOVEL")}
    # A relative path would lead nowhere, because notebooks run in another folder.
    environment = {name: os.path.abspath(path) for name, path in texts.items() if path}
    for name in parser.parse_args().names:
        path = FOLDER / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        kernel = jupyter_client.AsyncKernelManager()
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, kernel, folder, **environment)
        keep_outputs(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
