import pytest


@pytest.fixture(autouse=True)
def seeded():
    """Overrides the seeding of each test: most tests here build nothing."""
