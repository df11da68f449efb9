import pytest
from models import skip_bilm


def test_a_preset_is_not_replaced_unless_asked(tmp_path):
    bilm = skip_bilm()
    bilm.save_to_preset(tmp_path / "preset", metadata={"corpus": "mine"})
    before = (tmp_path / "preset" / "metadata.json").read_bytes()
    with pytest.raises(FileExistsError, match="preset', which exists.*`overwrite="):
        bilm.save_to_preset(tmp_path / "preset")
    assert (tmp_path / "preset" / "metadata.json").read_bytes() == before
    bilm.save_to_preset(tmp_path / "preset", overwrite=True)
    assert (tmp_path / "preset" / "metadata.json").read_bytes() != before
