import pytest

from keras_elmo.files.progress import progress_bar


@pytest.mark.parametrize(
    "is_terminal, is_wanted", [(True, True), (True, False), (False, True)]
)
def test_it_is_shown_to_a_terminal_alone(is_terminal, is_wanted, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR" if is_terminal else "NO_COLOR", "1")
    with progress_bar("tokens", is_wanted) as bar:
        assert list(bar.track(range(1200))) == list(range(1200))
    out, err = capsys.readouterr()
    assert out == ""
    if is_terminal and is_wanted:
        assert "1,200 tokens" in err and "tokens/s, 0:00:00 left" in err
    else:
        assert err == ""
