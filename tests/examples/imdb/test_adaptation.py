import pytest

from keras_elmo.examples.imdb.adaptation import unlabelled_text


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"

    def write(*lengths):
        lines = [" ".join([f"line{n}"] * length) for n, length in enumerate(lengths)]
        path.write_text("\n".join(lines) + "\n\n")
        return path, lines

    return write


def test_sentences_are_joined_to_lines_as_long_as_reviews(text, review_folder):
    path, lines = text(401, 150, 250, 1, 399, 2)
    assert unlabelled_text(review_folder, path, 5) == [
        lines[0],  # a line is never cut
        f"{lines[1]} {lines[2]}",  # 400 tokens
        f"{lines[3]} {lines[4]}",
        lines[5],
    ]


def test_reviews_of_the_data_stay_apart(review_folder):
    more = review_folder / "train" / "unsup" / "1_0.txt"
    more.write_text("another<br />with no label at all")
    assert unlabelled_text(review_folder, None, 5) == [
        "no label",
        "another with no label at",
    ]


def test_a_text_without_words_is_refused(text, review_folder):
    path, _ = text()
    with pytest.raises(ValueError, match="should hold at least one line"):
        unlabelled_text(review_folder, path, 5)
