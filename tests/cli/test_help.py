import pytest

from keras_elmo.bulk.formats import FORMATS
from keras_elmo.bulk.layers import DTYPES as STORED_DTYPES
from keras_elmo.bulk.layers import LAYERS
from keras_elmo.cli import convert, parser, train
from keras_elmo.cli.main import main
from keras_elmo.text.tokenizers import TOKENIZERS
from keras_elmo.weights.formats.preset_folder import DTYPES


@pytest.mark.parametrize("name", [*parser._COMMANDS])
def test_help_tells_no_default_where_there_is_none(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    output = " ".join(capsys.readouterr().out.split())
    assert "(default: None)" not in output and "(default: False)" not in output


def test_choices_are_those_of_the_modules_that_do_the_work():
    assert tuple(TOKENIZERS) == parser.TOKENIZERS
    assert parser.DTYPES == DTYPES
    assert parser.LAYERS == LAYERS
    assert tuple(FORMATS) == parser.FORMATS
    assert parser.STORED_DTYPES == STORED_DTYPES
    assert tuple(convert._TARGETS) == parser.TARGETS
    assert tuple(train._STRATEGIES) == parser.STRATEGIES
