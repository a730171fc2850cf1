"""Every benchmark writes its figures as the commands do."""

import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_figures_go_through_the_one_writer(path: Path) -> None:
    """NaN is null, the file appears whole, and ``-`` is stdout, in all of them."""
    text = path.read_text("utf-8")
    if '"--json"' not in text:
        pytest.skip("it prints no figures")
    assert "write_json(" in text
    assert not re.search(r"json\.dump\(|json\.dumps\([^)]*indent", text)
