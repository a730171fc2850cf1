from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_dinov2
from PIL import Image as Pillow

from syncxr.curation import JUDGES
from syncxr.curation.inspector import Inspector
from syncxr.curation.judge import QUESTIONS, SIMILAR
from syncxr.curation.labelled_films.stock import Stock
from syncxr.curation.likeness import Likeness, SimilarityOptions
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.sample import Image


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tiny_dinov2.save(tmp_path_factory.mktemp("dino"))
    cache = tmp_path_factory.mktemp("cache")
    return {"features": "rad-dino", "model": str(folder), "device": "cpu", "cache": str(cache)}


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, list[Image]]:
    """A folder of bad films, and the films."""
    folder = tmp_path / "bad"
    folder.mkdir()
    films = [np.random.default_rng(n).integers(0, 256, (40, 40), np.uint8) for n in range(3)]
    for number, film in enumerate(films):
        Pillow.fromarray(film).save(folder / f"{number}.png")
    return folder, films


def test_own_bad_films_are_found(dino: dict[str, Any], own: tuple[Path, list[Image]]) -> None:
    folder, films = own
    likeness = Likeness(SimilarityOptions(**dino, bad_films=folder, built_in=False))
    assert likeness.bank.bank.shape == (3, 32)
    assert likeness(films) == pytest.approx([1.0] * 3, abs=1e-5)
    assert likeness.max_similarity == 0.5


def test_it_is_the_greatest_plain_cosine(
    dino: dict[str, Any], own: tuple[Path, list[Image]], stock: Stock
) -> None:
    folder, bad = own
    likeness = Likeness(SimilarityOptions(**dino, bad_films=folder, built_in=False))
    features, bank = likeness.space.features(stock.films[:5]), likeness.space.features(bad)
    slow = [
        max(float(row @ known / np.linalg.norm(row) / np.linalg.norm(known)) for known in bank)
        for row in features
    ]
    assert likeness(stock.films[:5]) == pytest.approx(slow, abs=1e-5)


def test_own_films_join_those_built_in(dino: dict[str, Any], own: tuple[Path, list[Image]]) -> None:
    likeness = Likeness(SimilarityOptions(**dino, bad_films=own[0]))
    assert len(likeness.bank.bank) == 123
    assert likeness.record()["bad_films"] == 123


def test_the_inspector_takes_another_feature_space(
    dino: dict[str, Any], own: tuple[Path, list[Image]], stock: Stock
) -> None:
    similarity = {**dino, "bad_films": str(own[0]), "built_in": False, "threshold": 0.999}
    judge: Inspector = build(
        "judge",
        JUDGES,
        BackendSpec(name="inspector", similarity=similarity),  # type: ignore[call-arg]
    )
    good, bad = judge.judge([stock.films[0], own[1][0]])
    assert SIMILAR not in good.reasons and SIMILAR in bad.reasons
    assert judge.record["similarity"]["features"] == "rad-dino"


def test_the_comparison_can_be_left_out(stock: Stock) -> None:
    [verdict] = Inspector(Inspector.Options(similarity=None)).judge(stock.films[:1])
    assert verdict.similarity is None and set(verdict.scores) == set(QUESTIONS)


def test_similarity_can_be_kept_without_deciding(stock: Stock) -> None:
    options = Inspector.Options(
        deciding=("chest",), similarity=SimilarityOptions(threshold=-1.0), thresholds={"chest": 0.0}
    )
    verdicts = Inspector(options).judge(stock.films[:3])
    assert all(verdict.passed and "similarity_to_bad" in verdict.scores for verdict in verdicts)


def test_each_film_of_a_long_batch_has_the_value_it_has_alone(stock: Stock) -> None:
    likeness = Likeness(SimilarityOptions())
    films = (stock.films * 3)[:70]
    assert likeness(films)[:5] == [likeness([film])[0] for film in films[:5]]
    assert likeness(films)[64:66] == likeness(films[64:66])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"built_in": False}, "give a folder bad_films"),
        ({"features": "clip"}, "feature space 'clip' is unknown"),
        ({"wieghts": "x"}, "'wieghts'"),
        ({"bad_films": "/nonexistent/films"}, "/nonexistent/films"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(SyncxrError, match=reason):
        Likeness(SimilarityOptions(**options))
