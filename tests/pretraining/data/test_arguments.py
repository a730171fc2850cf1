"""Sources as they are named on the command line."""

from pathlib import Path

import made_pairs
import pytest
import tiny_mimic

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.arguments import named_sources
from syncxr.pretraining.data.options import SourceOptions


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A dataset, a CSV, MIMIC-CXR."""
    folder = tmp_path_factory.mktemp("named")
    run, csv = made_pairs.dataset(folder / "run", 2), made_pairs.table(folder / "own", 2)
    return [str(run), str(csv), str(tiny_mimic.build(folder / "mimic"))]


def test_folders_go_where_they_belong(names: list[str]) -> None:
    found = named_sources(names, Path("films"), Path("txt"), "1:2.5:0.5")
    assert found == (
        SourceOptions(path=names[0], weight=1),
        SourceOptions(path=names[1], images=Path("films"), weight=2.5),
        SourceOptions(path=names[2], reports=Path("txt"), weight=0.5),
    )


def test_nothing_need_be_said(names: list[str]) -> None:
    assert named_sources(names[:1]) == (SourceOptions(path=names[0]),)
    assert named_sources([]) == ()


@pytest.mark.parametrize("weights", ["1", "1:2:3", "1:x", "1:0", "1:-2", "1:inf", "1:nan", ""])
def test_weights_that_do_not_fit(names: list[str], weights: str) -> None:
    with pytest.raises(SyncxrError, match="does not fit 2 sources; give a number above 0"):
        named_sources(names[:2], weights=weights)


def test_folders_that_belong_nowhere(names: list[str]) -> None:
    with pytest.raises(SyncxrError, match=r"--images fits none of the sources"):
        named_sources(names[:1], images=Path("films"))
    with pytest.raises(SyncxrError, match=r"--images fits several of the sources"):
        named_sources([names[1], names[1]], images=Path("films"))
    with pytest.raises(SyncxrError, match=r"--reports fits none"):
        named_sources(names[:2], reports=Path("txt"))
