"""Every page can be reached from the index, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def links(page: Path) -> set[Path]:
    found = LINK.findall(page.read_text("utf-8"))
    return {(page.parent / link).resolve() for link in found if "://" not in link}


def test_the_index_names_every_page() -> None:
    pages = {page.resolve() for page in (ROOT / "docs").glob("*.md")}
    index = ROOT / "docs" / "index.md"
    assert pages - links(index) == {index.resolve()}


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: Path) -> None:
    assert not [str(target) for target in links(page) if not target.exists()]


def test_the_house_names_every_room() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = ROOT / "src" / "syncxr"
    rooms = [f"`{folder.parent.name}/`" for folder in package.glob("*/__init__.py")]
    files = [f"`{file.name}`" for file in package.glob("*.py") if not file.name.startswith("__")]
    assert not [name for name in (*rooms, *files) if name not in told]
