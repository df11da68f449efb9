import os
import sys
from pathlib import Path

from keras_elmo.files.cache import cache_dir


def test_folder_of_the_user(monkeypatch):
    monkeypatch.delenv("KERAS_ELMO_HOME", raising=False)
    assert cache_dir().name == "keras_elmo"
    if sys.platform == "linux":
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        assert cache_dir() == Path(cache) / "keras_elmo"


def test_folder_of_the_environment(monkeypatch):
    monkeypatch.setenv("KERAS_ELMO_HOME", "~/models")
    assert cache_dir() == Path.home() / "models"
