import pytest

from syncxr.curation.inspector import Inspector
from syncxr.curation.stock import Stock, simulated_stock


@pytest.fixture(scope="session")
def stock() -> Stock:
    return simulated_stock("tests", 30)


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    return Inspector()
