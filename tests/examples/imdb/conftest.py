import pytest
from review_files import write_reviews


@pytest.fixture
def review_folder(tmp_path):
    return write_reviews(tmp_path / "aclImdb")
