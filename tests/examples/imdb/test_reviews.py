import tarfile

import numpy as np
import pytest
from review_files import POSITIVE

from keras_elmo.examples.imdb.reviews import (
    Reviews,
    frequent_words,
    read_reviews,
    read_unlabelled,
)


@pytest.fixture
def archive(review_folder):
    path = review_folder.parent / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(review_folder, "aclImdb")
    return path


def test_folder_and_archive_read_alike(review_folder, archive):
    splits = [
        read_reviews(data, "train", 150, limit=None, seed=1)
        for data in (review_folder, review_folder.parent, archive)
    ]
    for reviews in splits:
        assert len(reviews) == 20
        assert reviews.labels.sum() == 10
        assert not any("br />" in tokens for tokens in reviews.tokens)
        assert not any("label" in text for text in reviews.texts)
        assert reviews.texts == splits[0].texts
        np.testing.assert_array_equal(reviews.labels, splits[0].labels)
        assert read_unlabelled(archive) == ["no label"]
    labelled = zip(splits[0].texts, splits[0].labels, strict=True)
    positive = {text.rsplit(" ", 1)[0] for text, label in labelled if label}
    assert positive == set(POSITIVE)


def test_limit_keeps_as_many_of_either_label(review_folder):
    reviews = read_reviews(review_folder, "test", 3, limit=6, seed=1)
    assert len(reviews) == 6
    assert reviews.labels.tolist().count(1.0) == 3
    assert {len(tokens.split()) for tokens in reviews.tokens} == {3}
    assert {len(text.split()) for text in reviews.texts} != {3}
    others = read_reviews(review_folder, "test", 3, limit=6, seed=2)
    assert others.texts != reviews.texts
    assert len(read_reviews(review_folder, "test", 3, limit=600, seed=1)) == 20


def test_files_that_are_no_reviews_are_left_out(review_folder):
    for name in ("._3_7.txt", "notes.txt", "3_7.txt.bak"):
        (review_folder / "train" / "pos" / name).write_text("no review")
    reviews = read_reviews(review_folder, "train", 150, None, 1)
    assert len(reviews) == 20 and "no review" not in reviews.texts


@pytest.mark.parametrize("kept", [0, 4])
def test_folder_unpacked_in_part(review_folder, kept):
    for path in sorted((review_folder / "test" / "neg").iterdir())[kept:]:
        path.unlink()
    with pytest.raises(ValueError, match=rf"with {kept} neg, 10 pos\. Leave --data"):
        read_reviews(review_folder, "test", 150, None, 1)


def test_archive_cut_short(archive):
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ValueError, match="`data` should be a folder `aclImdb`"):
        read_reviews(archive, "train", 150, None, 1)


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_data_that_is_not_there(tmp_path, content):
    path = tmp_path / "data.tar.gz"
    if content is not None:
        path.write_bytes(content)
    for data in (path, tmp_path):
        with pytest.raises(ValueError, match="`data` should be a folder `aclImdb`"):
            read_reviews(data, "train", 150, None, 1)


def test_frequent_words():
    tokens = ["A film a", "the film", "a"]
    reviews = Reviews(tokens, tokens, np.zeros(3))
    assert frequent_words(reviews, 2) == ["a", "film"]
