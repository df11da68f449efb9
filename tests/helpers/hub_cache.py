"""What TensorFlow Hub would have downloaded."""

import hashlib
import shutil

from golden import FIXTURES


def fill_hub_cache(monkeypatch, folder):
    """Puts the recorded model `skip` where TensorFlow Hub keeps google/elmo/2."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(folder))
    name = hashlib.sha1(b"https://tfhub.dev/google/elmo/2").hexdigest()
    shutil.copytree(FIXTURES / "skip" / "hub", folder / name)
