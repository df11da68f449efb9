import pytest

from keras_elmo.cli.main import main


@pytest.mark.parametrize("name", ["info", "verify", "convert", "train", "evaluate"])
def test_help_tells_no_default_where_there_is_none(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    output = " ".join(capsys.readouterr().out.split())
    assert "(default: None)" not in output and "(default: False)" not in output
