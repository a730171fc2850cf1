from pathlib import Path

import pytest
import tiny_rate_ner


@pytest.fixture(scope="session")
def rate_ner_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rate_ner.saved(tmp_path_factory.mktemp("rate-ner"))
