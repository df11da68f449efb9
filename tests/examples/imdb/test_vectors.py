import errno
import functools
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from full_disk import largest_file

import keras_elmo.bulk
from keras_elmo import ElmoEmbedding
from keras_elmo.examples.imdb.classifier import Classifier
from keras_elmo.examples.imdb.reviews import Reviews
from keras_elmo.examples.imdb.vectors import (
    check_room,
    frozen_vectors,
    vector_batches,
)

TEXTS = ["a film", "I loved it so much", "", "boring"]


@pytest.fixture(scope="module")
def elmo():
    return ElmoEmbedding.from_preset("tiny_en", output_key="elmo")


def embed(elmo, folder, texts=TEXTS, dtype="float32"):
    told = []
    vectors = frozen_vectors(elmo, texts, folder, dtype, report=told.append)
    return vectors, " ".join(told)


def test_computed_once(elmo, tmp_path):
    vectors, told = embed(elmo, tmp_path)
    assert "1 of them to compute" in told
    assert [row.shape for row in vectors] == [(3, n, 256) for n in (2, 5, 0, 1)]
    again, told = embed(elmo, tmp_path)
    assert "0 of them to compute" in told
    for left, right in zip(vectors, again, strict=True):
        np.testing.assert_array_equal(left, right)


def test_others_have_a_place_of_their_own(elmo, tmp_path):
    paths = {embed(elmo, tmp_path)[0].path}
    paths.add(embed(elmo, tmp_path, TEXTS[:2])[0].path)
    paths.add(embed(elmo, tmp_path, dtype="int16")[0].path)
    other = ElmoEmbedding.from_preset("tiny_en", output_key="elmo")
    other.bilm.set_weights([0.5 * value for value in elmo.bilm.get_weights()])
    paths.add(embed(other, tmp_path)[0].path)
    assert len(paths) == 4
    assert "0 of them to compute" in embed(elmo, tmp_path)[1]


def test_damaged_and_stale_ones_are_computed_anew(elmo, tmp_path):
    vectors, _ = embed(elmo, tmp_path)
    expected = [np.array(row) for row in vectors]
    part = next(vectors.path.glob("part-*/vectors.npy"))
    manifest = vectors.path / "_manifest.json"
    for damage in (
        functools.partial(part.write_bytes, b"damaged"),
        functools.partial(manifest.write_bytes, b"{}"),
        manifest.unlink,
    ):
        damage()
        again, told = embed(elmo, tmp_path)
        assert "1 of them to compute" in told and "computed anew: " in told
        for left, right in zip(again, expected, strict=True):
            np.testing.assert_array_equal(left, right)
        assert keras_elmo.bulk.check(vectors.path) == []


def test_interrupted_ones_of_other_versions_are_computed_anew(elmo, tmp_path):
    vectors, _ = embed(elmo, tmp_path)
    expected = [np.array(row) for row in vectors]
    manifest = json.loads((vectors.path / "_manifest.json").read_text())
    (shard,) = manifest["shards"]
    done = vectors.path / "_done"
    done.mkdir()
    (done / "000000.json").write_text(json.dumps(shard["files"]))
    manifest["run"]["tensorflow"] = "2.0"
    (vectors.path / "_plan.json").write_text(json.dumps(manifest))
    (vectors.path / "_manifest.json").unlink()
    again, told = embed(elmo, tmp_path)
    assert "is computed anew: " in told and "1 of them to compute" in told
    for left, right in zip(again, expected, strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_disk_should_have_room_for_what_is_missing(elmo, tmp_path, monkeypatch):
    embed(elmo, tmp_path, TEXTS[:2])
    size = 7 * 3 * 256 * 4  # of two texts, of eight tokens in all 24,576
    usage = SimpleNamespace(free=size)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    told = []
    check_room(elmo, [TEXTS[:2], TEXTS[2:]], tmp_path, "float32", told.append)
    assert told[0].startswith("vectors of 8 tokens: 24.6 kB, of which 2.9 kB are")
    with pytest.raises(OSError, match="24.6 kB are needed"):  # of the weights to come
        check_room(elmo, [TEXTS], tmp_path, "float32", told.append, True)
    longer = [TEXTS[:2], [*TEXTS[2:], "so long " * 4]]
    with pytest.raises(OSError, match="21.5 kB are free.*`--vectors`") as error:
        check_room(elmo, longer, tmp_path, "float32", told.append)
    usage.free = size + 1000  # so much is needed where vectors are of other texts
    with pytest.raises(OSError, match="22.5 kB are free"):
        check_room(elmo, [TEXTS], tmp_path, "float32", told.append)
    assert error.value.errno == errno.ENOSPC


def test_a_disk_that_gets_full_keeps_what_is_computed(elmo, tmp_path):
    with largest_file(1000), pytest.raises(OSError, match="give the same command") as e:
        embed(elmo, tmp_path)
    assert "--resume" not in str(e.value)
    vectors, told = embed(elmo, tmp_path)
    assert "1 of them to compute" in told
    # It is told the same way where there were some, which are computed anew.
    (vectors.path / "_manifest.json").write_text("{}")
    with largest_file(1000), pytest.raises(OSError, match="give the same command") as e:
        embed(elmo, tmp_path)
    assert "--resume" not in str(e.value)
    assert "1 of them to compute" in embed(elmo, tmp_path)[1]


@pytest.mark.parametrize(
    ("head", "words"),
    [("mean", None), ("bilstm", {"vocabulary": ["film", "it"], "dim": 3})],
)
def test_strings_and_vectors_give_the_same(elmo, tmp_path, head, words):
    classifier = Classifier(elmo, head, max_tokens=4, seed=1, words=words)
    elmo.mix.mix_weights.assign([0.3, -1.0, 2.0])
    texts = ["Boring!", "A<br />film.", "I loved it so much"]
    tokens = ["Boring !", "A film .", "I loved it so"]
    vectors, _ = embed(elmo, tmp_path, tokens, "int16")
    batches = vector_batches(Reviews(texts, tokens, np.zeros(3)), vectors, 2)
    expected = classifier.on_text.predict(np.array(texts, dtype=object), verbose=0)
    actual = classifier.on_vectors.predict(batches.in_order(), verbose=0)
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3
    assert len(classifier.on_vectors.trainable_variables) == len(
        classifier.on_text.trainable_variables
    )
