import numpy as np
import pytest

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.examples import word_in_context


@pytest.fixture
def preset(tmp_path):
    bilm = BiLM(filters=[[1, 4], [2, 4]], units=8, projection_dim=4)
    ElmoEmbedding(bilm).save_to_preset(tmp_path / "preset")
    return tmp_path / "preset"


def test_cosines_are_those_of_the_word_in_each_sentence(preset):
    elmo = ElmoEmbedding.from_preset(preset)
    sentences = ["the bank", "a bank of  a river bank", "bank"]
    cosines = word_in_context.compare(elmo, "bank", sentences, "elmo")
    vectors = [
        elmo([sentence])["elmo"][0, position].numpy()
        for sentence, position in zip(sentences, (1, 1, 0), strict=True)
    ]
    for i, left in enumerate(vectors):
        for j, right in enumerate(vectors):
            expected = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
            assert cosines[i, j] == pytest.approx(expected, abs=1e-5)


def test_prints_a_row_a_sentence(preset, capsys):
    word_in_context.main(["cat", "the cat", "a cat sat", "--elmo", str(preset)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == [
        "Cosines of 'cat' in word_emb",
        " 1.00  1.00   the cat",
        " 1.00  1.00   a cat sat",
    ]
    assert lines[5] == "Cosines of 'cat' in lstm_outputs2" and len(lines) == 8


def test_word_that_is_not_there(preset):
    with pytest.raises(SystemExit, match=r"tokens are \['the', 'cat\.'\]"):
        word_in_context.main(["cat", "the cat.", "--elmo", str(preset)])
    with pytest.raises(SystemExit, match="'nothing', which is none"):
        word_in_context.main(["cat", "the cat", "--elmo", "nothing"])
