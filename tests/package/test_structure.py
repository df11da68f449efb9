"""The public names, and rules about the source that nothing else checks."""

import ast
import doctest
import importlib
import importlib.metadata
import pkgutil
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_elmo

PUBLIC = {
    "BiLM",
    "BiLSTM",
    "CharCNN",
    "ElmoEmbedding",
    "ElmoPreprocessor",
    "Highway",
    "ProjectedLSTM",
    "ScalarMix",
    "__version__",
}
PACKAGE = Path(keras_elmo.__file__).parent
MODULES = [
    module.name for module in pkgutil.walk_packages(keras_elmo.__path__, "keras_elmo.")
]
# What each room may import of the others; `files` and `arguments` know no ELMo. It
# reads from the bottom floor up, and a room that is not here may import nothing.
FLOORS = {
    "version": (),
    "startup": (),
    "arguments": (),
    "char_ids": (),
    "files": (),
    "layers": ("arguments", "char_ids"),
    "presets": ("files",),
    "weights": ("arguments", "char_ids", "files", "presets", "version"),
    "text": ("arguments", "char_ids"),
    "bilm": ("arguments", "char_ids", "layers", "weights"),
    "embedding": (
        "arguments",
        "bilm",
        "char_ids",
        "files",
        "layers",
        "text",
        "weights",
    ),
    "bulk": ("arguments", "embedding", "files", "text", "version", "weights"),
    "pretraining": ("arguments", "bilm", "char_ids", "files", "text", "weights"),
    "probing": ("embedding",),
    "principal_components": (),
    "plots": ("files", "principal_components"),
    "projector": ("arguments", "embedding", "files", "principal_components", "text"),
    "verification": ("embedding", "weights"),
    "compat": (
        "arguments",
        "bilm",
        "bulk",
        "char_ids",
        "embedding",
        "files",
        "layers",
        "presets",
        "pretraining",
        "text",
        "weights",
    ),
    "cli": (
        "arguments",
        "bilm",
        "bulk",
        "compat",
        "embedding",
        "files",
        "presets",
        "pretraining",
        "probing",
        "projector",
        "startup",
        "text",
        "verification",
        "version",
        "weights",
    ),
    "__main__": ("cli",),
    "examples": (
        "arguments",
        "bulk",
        "cli",
        "embedding",
        "files",
        "layers",
        "plots",
        "pretraining",
        "text",
        "weights",
        "keras_elmo",
    ),
}
# The numeric core is Keras alone, so that it runs on other backends.
WITHOUT_TENSORFLOW = {"arguments", "char_ids", "bilm", "layers", "version", "files"}
# One folder of it needs TensorFlow, and is imported only by the call that runs it.
ON_TENSORFLOW = ".on_tensorflow"
OPTIONAL = (
    "tensorflow_text",
    "matplotlib.figure",
    "plotly.graph_objects",
    "pyarrow",
    "ray",
    "sklearn",
    "threadpoolctl",
    "upath",
)


def imports_of(name):
    """(module, whether at top level) of every import in a module of ours."""
    path = PACKAGE.joinpath(*name.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, node in tree.body


def test_public_names():
    assert set(keras_elmo.__all__) == PUBLIC
    assert all(hasattr(keras_elmo, name) for name in PUBLIC)


def test_version_is_that_of_the_installed_package():
    try:
        installed = importlib.metadata.version("keras-elmo")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("runs on a source tree; the package is not installed")
    assert keras_elmo.__version__ == installed


def room(module):
    """The folder of a module, or its name if it stands at the top."""
    return module.split(".")[1] if "." in module else module


@pytest.mark.parametrize("name", MODULES)
def test_imports(name):
    imports = dict(imports_of(name))
    roots = {module.split(".")[0] for module in imports}
    assert not any(module.split(".")[:2] == ["keras", "src"] for module in imports)
    assert not roots & {"pickle", "tensorflow_hub", "torch", "allennlp"}
    if room(name) in WITHOUT_TENSORFLOW and ON_TENSORFLOW not in name:
        assert "tensorflow" not in roots
        at_top = [module for module, is_at_top in imports.items() if is_at_top]
        assert not any(ON_TENSORFLOW in module for module in at_top)
    for optional in OPTIONAL:
        assert not imports.get(optional), f"{optional} is imported at the top of {name}"


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    """From each room only to those that `FLOORS` lists for it."""
    here = room(name)
    imported = {room(m) for m, _ in imports_of(name) if m.split(".")[0] == "keras_elmo"}
    assert imported - {here} <= set(FLOORS[here])


def test_no_room_is_above_itself():
    """Each room of `FLOORS` imports only rooms that stand before it."""
    names = list(FLOORS)
    for position, (name, below) in enumerate(FLOORS.items()):
        assert set(below) - {"keras_elmo"} <= set(names[:position]), name


def test_the_top_is_short():
    """Who opens the package sees folders, and at most eight modules."""
    modules = [path for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= 8


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_long(name):
    path = PACKAGE.joinpath(*name.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= (250 if name.endswith(".elmo_embedding") else 300)


@pytest.mark.parametrize("name", ["keras_elmo", *MODULES])
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    globs = {**vars(module), "keras": keras, "np": np, "tf": tf}
    results = doctest.testmod(module, extraglobs=globs)
    assert results.failed == 0


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_docstrings_are_complete(name):
    text = getattr(keras_elmo, name).__doc__
    for part in ("Args:", ">>> ", "Reference: "):
        assert part in text, part
    assert "Raises:" in text or name == "Highway"
    assert "Returns:" in text or "Output shape:" in text


def test_no_time_of_day():
    """The clock of a machine may be set while a command runs."""
    words = re.compile(r"time\.time\b|time_ns\(|\b(now|today|utcnow)\(")
    for path in PACKAGE.rglob("*.py"):
        assert not words.search(path.read_text("utf-8")), path


def test_every_test_file_is_collected():
    """pytest passes over files of other names without a word."""
    tests = Path(__file__).parents[1]
    for path in tests.rglob("*.py"):
        folder = path.relative_to(tests).parts[0]
        if folder not in ("helpers", "benchmarks", "endurance", "fuzzing", "peers"):
            assert path.name == "conftest.py" or path.name.startswith("test_"), path
