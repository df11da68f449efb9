"""Where the files of a model are, by whatever name somebody calls it."""

import difflib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from keras_elmo.files.cache import cache_dir
from keras_elmo.files.download import download
from keras_elmo.presets.published import (
    PublishedModel,
    find_published,
    published_models,
)

_FOLDER = Path(__file__).parent


def bundled() -> list[str]:
    """The names of the package's own presets."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/config.json"))


def locate(source: str | os.PathLike) -> Path:
    """The file or folder that `source` names, downloaded if it has to be.

    In this order, `source` is one of the package's own presets; a path; a published
    model, by its name or an address; another address. So a folder of this machine
    stands in for a published model of the same name, but not for the package's own:
    `"./tiny_en"` is a folder, `"tiny_en"` never.

    What TensorFlow Hub has downloaded (to `TFHUB_CACHE_DIR`, or its default) is used
    from there. Other downloads are kept in `cache_dir()`.

    Args:
        source: A name, a path or an address.

    Returns:
        A preset's folder; the path that `source` is; a folder with `options.json` and
        `weights.hdf5`; TensorFlow Hub's folder of a module; or the file of an archive.

    Raises:
        FileNotFoundError: if it names nothing, or what must not be downloaded.
        ConnectionError, ValueError, OSError: see `download`.

    Example:

    >>> locate("tiny_en").name
    'tiny_en'
    """
    if source in bundled():
        return _FOLDER / source
    if os.path.exists(source):
        return Path(source)
    if isinstance(source, str):
        if model := find_published(source):
            return _find_module([source, *model.all_names]) or _download_model(model)
        if re.match("https?://", source, re.IGNORECASE):
            return _find_module([source]) or _download_other(source)
    names = [model.name for model in published_models()]
    raise FileNotFoundError(
        f"The preset should be one that comes with the package, {bundled()}, the path "
        f"of a file or folder, a published model, such as {names[:3]} (`keras-elmo "
        f"info` lists all {len(names)}), or an address. Received: "
        f"{os.fspath(source)!r}, which is none of these.{_suggestion(source)}"
    )


def _suggestion(source: str | os.PathLike) -> str:
    """The name that was probably meant, as a question, if one is near enough."""
    names = [*bundled(), *(model.name for model in published_models())]
    near = difflib.get_close_matches(os.fspath(source).lower(), names, n=1, cutoff=0.75)
    return f" Did you mean {near[0]!r}?" if near else ""


def _find_module(handles: Iterable[str]) -> Path | None:
    """The folder of a module that TensorFlow Hub downloaded by one of these handles."""
    default = os.path.join(tempfile.gettempdir(), "tfhub_modules")
    cache = Path(os.environ.get("TFHUB_CACHE_DIR") or default)
    for handle in handles:
        plain = handle.removesuffix("?tf-hub-format=compressed")
        for variant in (handle, plain):
            module = cache / hashlib.sha1(variant.encode()).hexdigest()
            if (module / "variables" / "variables.index").is_file():
                return module
    return None


def _download_model(model: PublishedModel) -> Path:
    folder = cache_dir() / model.name
    paths = [
        download(address, folder, model.hashes.get(name), name)
        for name, address in model.files.items()
    ]
    return folder if len(paths) > 1 else paths[0]


def _download_other(address: str) -> Path:
    # The digest keeps files of the same name from different places apart.
    digest = hashlib.sha256(address.encode()).hexdigest()[:16]
    return download(address, cache_dir() / "other" / digest)
