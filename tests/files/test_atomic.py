import os

import pytest

from keras_elmo.files.atomic import replacing


def write(path, text):
    with replacing(path) as temporary, open(temporary, "w") as file:
        file.write(text)


def write_folder(path, text):
    with replacing(path) as temporary:
        os.mkdir(temporary)
        with open(os.path.join(temporary, "a.txt"), "w") as file:
            file.write(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "new" / "a.txt"
    for text in ("one", "two"):
        write(path, text)
        assert path.read_text() == text
        assert names(path.parent) == ["a.txt"]


def test_a_folder_is_replaced_with_all_that_is_in_it(tmp_path):
    path = tmp_path / "folder"
    write_folder(path, "one")
    (path / "b.txt").write_text("of the old one")
    write_folder(path, "two")
    assert names(path) == ["a.txt"] and (path / "a.txt").read_text() == "two"
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("writer", [write, write_folder])
def test_what_fails_leaves_the_old_one(tmp_path, monkeypatch, writer):
    path = tmp_path / "it"
    writer(path, "old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        if writer is write_folder:
            os.mkdir(temporary)
        raise KeyboardInterrupt
    # The rename itself fails: onto a file, or after the old folder was put aside.
    replace = os.replace

    def refuse(source, target):
        if os.fspath(target) == os.fspath(path) and "/new/" in os.fspath(source):
            raise PermissionError("no")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        writer(path, "new")
    file = path / "a.txt" if writer is write_folder else path
    assert file.read_text() == "old"
    assert names(tmp_path) == ["it"]


def test_a_file_does_not_replace_a_folder(tmp_path):
    (tmp_path / "it").mkdir()
    with pytest.raises(IsADirectoryError, match="should be the path of a file"):
        write(tmp_path / "it", "text")
    assert names(tmp_path) == ["it"]


def test_what_a_link_names_is_replaced_and_the_link_stays(tmp_path):
    write(tmp_path / "a.txt", "old")
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "new"
