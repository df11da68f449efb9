"""The public names, and rules about the source that nothing else checks."""

import ast
import doctest
import importlib
import importlib.metadata
import pkgutil
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
# Where TensorFlow itself may be used: text, its integers, and what wraps the core.
TENSORFLOW = {
    "embedding",
    "export",
    "inputs",
    "preprocessor",
    "pure_call",
    "rounding",
    "text",
    "token_mask",
    "weights.checkpoint",
    "weights.checkpoint_index",
    "word_cache",
}
# Whole folders of which the same is true.
TENSORFLOW_FOLDERS = ("cli.", "examples.", "pretraining.", "probing.", "verification.")


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


@pytest.mark.parametrize("name", MODULES)
def test_imports(name):
    imports = dict(imports_of(name))
    roots = {module.split(".")[0] for module in imports}
    assert not any(module.startswith("keras.src") for module in imports)
    assert not roots & {"pickle", "tensorflow_hub", "torch", "allennlp"}
    if "tensorflow" in roots:
        inner_name = name.removeprefix("keras_elmo.")
        assert inner_name in TENSORFLOW or inner_name.startswith(TENSORFLOW_FOLDERS)
    for optional in (
        "tensorflow_text",
        "matplotlib.figure",
        "sklearn",
        "threadpoolctl",
    ):
        assert not imports.get(optional), f"{optional} is imported at the top of {name}"


def test_imports_go_one_way():
    """examples, cli -> pretraining, probing -> embedding -> bilm, text -> layers."""

    def imported(name):
        return {module for module, _ in imports_of(name) if "keras_elmo" in module}

    for name in MODULES:
        if ".layers" in name or ".weights" in name:
            allowed = ("keras_elmo.layers", "keras_elmo.weights", "keras_elmo.atomic")
            allowed += ("keras_elmo.integers", "keras_elmo.validation")
            allowed += ("keras_elmo.presets", "keras_elmo.version")
            assert all(module.startswith(allowed) for module in imported(name)), name
    assert "keras_elmo.embedding" not in imported("keras_elmo.bilm")
    outermost = ("keras_elmo.examples", "keras_elmo.cli")
    for name in MODULES:
        if not name.startswith(outermost):
            assert not any(m.startswith(outermost) for m in imported(name)), name


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


def test_every_test_file_is_collected():
    """pytest passes over files of other names without a word."""
    helpers = {"conftest.py", "file_server.py", "golden.py", "oracles.py"}
    helpers |= {"train_small.py", "checkpoint_writer.py", "hostile.py"}
    files = {path.name for path in Path(__file__).parent.glob("*.py")}
    assert all(name.startswith("test_") for name in files - helpers)
