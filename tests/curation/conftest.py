from pathlib import Path

import pytest
import tiny_internvl

from syncxr.curation.inspector import Inspector
from syncxr.curation.labelled_films.stock import Stock, simulated_stock


@pytest.fixture(scope="session")
def stock() -> Stock:
    return simulated_stock("tests", 30)


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    return Inspector()


@pytest.fixture(scope="session")
def internvl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_internvl.save(tmp_path_factory.mktemp("internvl"))
