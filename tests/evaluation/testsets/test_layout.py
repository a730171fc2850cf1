"""Where files of a download are found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from syncxr.evaluation.testsets.layout import (
    first_file,
    index_files,
    needed_file,
    require_films,
)
from syncxr.evaluation.testsets.test_set import Item


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "images/a.png",
        "images/b.PNG",
        "more/deep/c.png",
        "images/a.txt",
        "d.png",
        "more/a.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_files_by_name_and_the_first_folder_wins(tree: Path) -> None:
    assert index_files(tree, ("images", "more", "."), (".png",)) == {
        "a.png": "images/a.png",
        "b.PNG": "images/b.PNG",
        "d.png": "d.png",
    }
    assert index_files(tree, ("m*/**",), (".png",)) == {
        "a.png": "more/a.png",
        "c.png": "more/deep/c.png",
    }
    assert index_files(tree, ("nowhere", "d.png"), (".png",)) == {}


def test_the_first_of_several_names(tree: Path, refused: Callable[..., str]) -> None:
    assert first_file(tree, ["x", "d.png", "images/a.png"]) == tree / "d.png"
    assert first_file(tree, ["images"]) is None
    assert "has no x or y" in refused(needed_file, tree, ["x", "y"])


def test_missing_films_are_counted(tree: Path, refused: Callable[..., str]) -> None:
    files = index_files(tree, ("images",), (".png",))
    items = [
        Item(name, f"images/{name}", "", {}, where=f"t.csv, row {n}")
        for n, name in enumerate(("a.png", "x.png", "y.png"), start=2)
    ]
    require_films(items[:1], files, tree, "rsna")
    said = refused(require_films, items, files, tree, "rsna")
    assert said.startswith("t.csv, row 3: film x.png and 1 more films not found below")
    assert f"syncxr datasets check rsna {tree}" in said
