import pytest

from keras_elmo.files.find_files import find_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "a[b].txt", "c.csv"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.txt").mkdir()
    return tmp_path


def test_names_come_in_their_order_and_matches_by_name(folder):
    found = [str(path) for path in find_files(["c.csv", "*.txt"], "text")]
    assert found == ["c.csv", "a.txt", "a[b].txt", "b.txt"]
    assert find_files(folder / "a.txt", "text") == [folder / "a.txt"]


def test_a_name_is_no_pattern_if_it_is_there(folder):
    assert [str(path) for path in find_files("a[b].txt", "text")] == ["a[b].txt"]
    (folder / "a[b].txt").unlink()
    with pytest.raises(FileNotFoundError):
        find_files("a[b].txt", "text")
    (folder / "ab.txt").write_text("")
    assert [str(path) for path in find_files("a[b].txt", "text")] == ["ab.txt"]


def test_every_name_has_to_be_there(folder):
    with pytest.raises(FileNotFoundError, match=r"`text` .*Received: 'z\*', which"):
        find_files(["a.txt", "z*"], "text")
    with pytest.raises(IsADirectoryError, match=r"`text` .*'d\.txt', .*'d\.txt/\*'"):
        find_files("d.txt", "text")
