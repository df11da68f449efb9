import uuid
from pathlib import Path

import pytest

from keras_elmo.files.paths import (
    as_path,
    fetch_copy,
    is_address,
    reaching,
    remove_tree,
    upload,
)

pytest.importorskip("upath", reason="universal_pathlib is not installed")


@pytest.fixture(params=["here", "elsewhere"])
def folder(request, tmp_path):
    """A folder with files, on this machine or at an address."""
    address = f"memory://{uuid.uuid4().hex}/folder"
    folder = as_path(tmp_path if request.param == "here" else address)
    (folder / "inner").mkdir(parents=True, exist_ok=True)
    (folder / "inner" / "b").write_bytes(b"2")
    (folder / "a").write_bytes(b"1")
    return folder


def test_which_are_addresses():
    assert is_address("s3://bucket/a") and is_address(as_path("memory://a"))
    assert not is_address("a:b/c") and not is_address(Path("a"))
    assert type(as_path("a")) is type(Path("a"))


def test_trees_are_removed(folder):
    remove_tree(folder)
    assert not folder.exists()
    remove_tree(folder)  # another process may have been faster


def test_copies_come_back(tmp_path):
    source, address = tmp_path / "source", as_path(f"memory://{uuid.uuid4().hex}")
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "b").write_bytes(b"2")
    (source / "a").write_bytes(b"1")
    upload(source, address / "there")
    (tmp_path / "back").mkdir()
    back = fetch_copy(address / "there", tmp_path / "back")
    assert (back / "a").read_bytes() == b"1"
    assert (back / "inner" / "b").read_bytes() == b"2"


def test_errors_of_a_service_are_those_of_files():
    message = "'s3://a' should be .* Received: KeyError"
    with pytest.raises(OSError, match=message), reaching("s3://a"):
        raise KeyError("credentials")
    with pytest.raises(FileNotFoundError), reaching("s3://a"):
        raise FileNotFoundError("a")
    with pytest.raises(KeyError), reaching("a"):
        raise KeyError("ours")
