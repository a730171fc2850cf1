"""Names and paths of the command line."""

from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.suites.arguments import named_checkpoints, named_paths, own_films


def test_bare_folders_are_told_apart() -> None:
    names = list(named_checkpoints(["runs/real/checkpoint", "runs/mixed/checkpoint", "x=runs/a"]))
    assert names == ["real/checkpoint", "mixed/checkpoint", "x"]
    assert list(named_checkpoints(["runs/real/checkpoint"])) == ["checkpoint"]


@pytest.mark.parametrize("given", [["a=x", "a=y"], ["runs/a", "runs/a"]])
def test_one_name_twice(given: list[str]) -> None:
    with pytest.raises(SyncxrError, match="two checkpoints are called"):
        named_checkpoints(given)


def test_data(tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    file.write_text("rsna: films/rsna\nchexpert: /data/chexpert\n")
    assert named_paths([str(file), "siim-acr=x"]) == {
        "rsna": tmp_path / "films/rsna",
        "chexpert": Path("/data/chexpert"),
        "siim-acr": Path("x"),
    }


@pytest.mark.parametrize(
    ("content", "words"), [("[1]", "NAME: PATH"), ("rsna: 3", "NAME: PATH"), ("a: [", "readable")]
)
def test_bad_data_file(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(content)
    with pytest.raises(SyncxrError, match=words):
        named_paths([str(tmp_path / "d.yaml")])


def test_neither_name_nor_file() -> None:
    with pytest.raises(SyncxrError, match="neither NAME=PATH nor a YAML file"):
        named_paths(["/data/rsna"])


def test_films_of_ones_own() -> None:
    assert own_films(None, None) == {}
    assert own_films(Path("f"), Path("l.csv")) == {"folder": Path("f")}
    with pytest.raises(SyncxrError, match="--labels"):
        own_films(Path("f"), None)
