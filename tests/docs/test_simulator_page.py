"""The page of the simulator names all that it can draw."""

from pathlib import Path

from syncxr.images.simulation.findings import FINDINGS

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_every_finding_has_its_row() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    named = {name.strip() for row in rows for name in row.split("|")[1].split(",")}
    assert set(FINDINGS) <= named
