import pytest

from keras_elmo import BiLM


def test_a_preset_is_not_replaced_unless_asked(skip_model, tmp_path):
    bilm = BiLM.from_hdf5(**skip_model.files)
    bilm.save_to_preset(tmp_path / "preset", metadata={"corpus": "mine"})
    before = (tmp_path / "preset" / "metadata.json").read_bytes()
    with pytest.raises(FileExistsError, match="preset', which exists.*`overwrite="):
        bilm.save_to_preset(tmp_path / "preset")
    assert (tmp_path / "preset" / "metadata.json").read_bytes() == before
    bilm.save_to_preset(tmp_path / "preset", overwrite=True)
    assert (tmp_path / "preset" / "metadata.json").read_bytes() != before
