import pytest

from keras_elmo.bulk.formats import DTYPES as STORED_DTYPES
from keras_elmo.bulk.formats import FORMATS
from keras_elmo.bulk.layers import LAYERS
from keras_elmo.cli import convert, project, train
from keras_elmo.cli.arguments import COMMANDS, choices
from keras_elmo.cli.main import main
from keras_elmo.text.tokenizers import TOKENIZERS
from keras_elmo.weights.formats.preset_folder import DTYPES


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_no_default_where_there_is_none(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    output = " ".join(capsys.readouterr().out.split())
    assert "(default: None)" not in output and "(default: False)" not in output


def test_choices_are_those_of_the_modules_that_do_the_work():
    assert tuple(TOKENIZERS) == choices.TOKENIZERS
    assert choices.DTYPES == DTYPES
    assert choices.LAYERS == LAYERS
    assert tuple(FORMATS) == choices.FORMATS
    assert choices.STORED_DTYPES == STORED_DTYPES
    assert tuple(convert._TARGETS) == choices.TARGETS
    assert tuple(train._STRATEGIES) == choices.STRATEGIES
    assert tuple(project._WRITERS) == choices.PICTURES
