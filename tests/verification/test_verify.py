import re

import numpy as np
import pytest
from golden import FIXTURES, Golden

from keras_elmo import ElmoEmbedding
from keras_elmo.cli.main import main
from keras_elmo.verification import published_values
from keras_elmo.verification.checks import run_self_checks
from keras_elmo.verification.published_values import PublishedRow, cosine_distance
from keras_elmo.verification.verify import verify
from keras_elmo.weights.open_weights import open_weights

HUB = FIXTURES / "skip" / "hub"


def recorded_rows(golden):
    """What the authors' code computed, without boundaries, as if it were printed."""
    names = ["word_emb", "lstm_outputs1", "lstm_outputs2"]
    layers = [golden.arrays[f"bare_{name}"] for name in names]
    layers[0] = np.concatenate([layers[0]] * 2, axis=-1)
    weights = np.exp(golden.arrays["mix_weights"])
    weights = weights / weights.sum() * golden.arrays["mix_scaling"]
    mixed = sum(w * layer for w, layer in zip(weights, layers, strict=True))
    sentences = golden.sentences(0)
    return tuple(
        PublishedRow(
            sentences[row],
            position,
            tuple(mixed[row, position, :3].tolist()),
            tuple(mixed[row, position, -3:].tolist()),
        )
        for row, position in ((0, 2), (2, 0))
    )


@pytest.fixture
def printed(monkeypatch):
    rows = {"google/elmo/2": recorded_rows(Golden("skip"))}
    monkeypatch.setattr(published_values, "PUBLISHED_ROWS", rows)


def test_weights_that_fit(printed, capsys):
    main(["verify", str(HUB), "--as", "google/elmo/2"])
    output = capsys.readouterr().out
    assert output.count("pass  elmo of") == 2
    assert "These are the weights of google/elmo/2." in output


def test_boundaries_are_told_from_weights(printed, skip_model):
    result = verify(
        open_weights([skip_model.options, skip_model.weights]), "google/elmo/2"
    )
    # HDF5 holds no mix: so neither setting can fit, and it does not guess.
    assert not result.passed and "Neither with nor without" in result.advice
    elmo = ElmoEmbedding.from_tfhub(HUB, sentence_boundaries=True)
    assert not all(check.passed for check in checks_of(elmo))


def checks_of(elmo):
    return list(published_values.check_published_values("google/elmo/2", elmo))


def test_boundary_mistake(printed, tmp_path):
    elmo = ElmoEmbedding.from_tfhub(HUB, sentence_boundaries=True)
    elmo.save_to_preset(tmp_path / "mistaken")
    result = verify(open_weights(tmp_path / "mistaken"), "google/elmo/2")
    assert not result.passed
    assert "With sentence_boundaries=False all of it fits" in result.advice


def test_weight_mistake_is_a_failure_of_the_command(printed, tmp_path, capsys):
    other = FIXTURES / "clipped" / "hub"
    with pytest.raises(SystemExit, match="verify: failed"):
        main(["verify", str(other), "--as", "https://tfhub.dev/google/elmo/2"])
    output = capsys.readouterr().out
    assert "FAIL  elmo of" in output and "the weights are not those" in output


def test_a_row_that_is_not_certain_fails_nothing(printed, monkeypatch):
    (row, *_) = published_values.PUBLISHED_ROWS["google/elmo/2"]
    doubtful = PublishedRow(row.sentence, row.position, (9.0,), is_certain=False)
    monkeypatch.setattr(
        published_values, "PUBLISHED_ROWS", {"google/elmo/2": (row, doubtful)}
    )
    result = verify(open_weights(HUB), "google/elmo/2")
    assert [check.passed for check in result.checks] == [True, None] and result.passed


def test_nan_is_no_pass():
    row = PublishedRow("a", 0, (float("nan"),))
    assert np.isnan(row.difference(ElmoEmbedding.from_tfhub(HUB)))


def test_tolerance_tells_all_wrong_settings(printed):
    """Every other activation, clip, direction or boundary is off by far more."""
    rows = published_values.PUBLISHED_ROWS["google/elmo/2"]
    for changed in ({"use_skip_connections": False}, {"cell_clip": 0.3}):
        elmo = ElmoEmbedding.from_tfhub(HUB)
        config = {**elmo.bilm.get_config(), **changed}
        bilm = type(elmo.bilm).from_config(config)
        bilm.set_weights(elmo.bilm.get_weights())
        other = ElmoEmbedding(bilm)
        other.mix.set_weights(elmo.mix.get_weights())
        difference = max(row.difference(other) for row in rows)
        assert difference > 10 * published_values.TOLERANCE


def test_state_is_carried_from_sentence_to_sentence(frozen_elmo):
    """Read forward, both sentences are one long one."""
    first, second = published_values.COSINE_SENTENCES
    together = frozen_elmo([f"{first} </S> <S> {second}"])
    _, carried = published_values.carried_vectors(frozen_elmo, 3)
    place = len(first.split()) + 2 + 3
    for layer, name in enumerate(("lstm_outputs1", "lstm_outputs2"), start=1):
        forward = together[name][0, place, :12]
        np.testing.assert_allclose(carried[layer][:12], forward, atol=1e-5)
    assert 0 < cosine_distance(frozen_elmo) < 2


def test_self_checks(capsys):
    main(["verify", str(HUB)])
    output = capsys.readouterr().out
    for line in ("pass  finite outputs: all", "pass  alone as in a batch"):
        assert line in output
    norms = dict(re.findall(r"mean norm of (\w+): ([\d.]+)", output))
    assert set(norms) == {"word_emb", "lstm_outputs1", "lstm_outputs2"}
    assert float(norms["lstm_outputs1"]) > 0
    assert "memories at the clip in layer 2" in output
    assert "Nothing was printed of this model" in output


def test_self_checks_find_nan(tmp_path):
    elmo = ElmoEmbedding.from_tfhub(HUB)
    elmo.mix.set_weights([np.zeros(3), np.array(np.nan)])
    failed = [check.name for check in run_self_checks(elmo) if check.passed is False]
    assert failed == ["finite outputs", "alone as in a batch"]


def test_unknown_name():
    with pytest.raises(SystemExit, match="`--as` should be.*'google/elmo/9'"):
        main(["verify", str(HUB), "--as", "google/elmo/9"])
