from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from pydantic import ValidationError

from syncxr.curation import JUDGES
from syncxr.curation.inspector import WEIGHTS, Inspector, inspect
from syncxr.curation.judge import QUESTIONS, SIMILAR
from syncxr.curation.labelled_films.families import FAMILIES, TRAINED
from syncxr.curation.labelled_films.stock import Stock
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.sample import Image


def films_of(name: str, stock: Stock, count: int) -> list[Image]:
    return [
        FAMILIES[name](stock, np.random.default_rng(900 + seed), (seed + 0.5) / count)
        for seed in range(count)
    ]


@pytest.fixture(scope="module")
def mixed(stock: Stock) -> list[Image]:
    names = ("good", "good", "hand", "lateral", "gaussian_blur", "ct_axial", "stripes")
    return [film for name in names for film in films_of(name, stock, 1)]


def test_the_registry_builds_it(mixed: list[Image]) -> None:
    judge = build("judge", JUDGES, BackendSpec(name="inspector"))
    verdicts = judge.judge(mixed)
    assert [set(v.answers) for v in verdicts] == [set(QUESTIONS)] * len(mixed)
    assert all(0 <= a <= 1 for v in verdicts for a in v.answers.values())
    assert all(-1 <= v.similarity <= 1 for v in verdicts)
    assert judge.judge([]) == []


def test_a_verdict_depends_on_the_film_alone(inspector: Inspector, mixed: list[Image]) -> None:
    together = inspector.judge(mixed)
    assert [inspector.judge([film])[0] for film in mixed] == together
    assert inspector.judge(mixed[::-1]) == together[::-1]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert Inspector().judge(mixed) == together
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_no_question_is_a_constant(inspector: Inspector, stock: Stock) -> None:
    films = [film for family in FAMILIES for film in films_of(family, stock, 1)]
    answers, _ = inspector.score(films)
    assert (answers.max(0) > 0.8).all()
    assert (answers.min(0) < 0.2).all()


def test_good_films_pass(inspector: Inspector, stock: Stock) -> None:
    verdicts = inspector.judge(stock.films)
    assert sum(v.passed for v in verdicts) >= 0.9 * len(stock.films), [v.reasons for v in verdicts]


@pytest.mark.parametrize("family", TRAINED, ids=lambda family: family.name)
def test_planted_faults_are_refused(family: object, inspector: Inspector, stock: Stock) -> None:
    verdicts = inspector.judge(films_of(family.name, stock, 8))  # type: ignore[attr-defined]
    assert sum(not v.passed for v in verdicts) >= 5, [v.answers for v in verdicts if v.passed]


def built(**options: object) -> Inspector:
    made: Inspector = build("judge", JUDGES, BackendSpec(name="inspector", **options))  # type: ignore[arg-type]
    return made


def test_options_move_thresholds(mixed: list[Image]) -> None:
    strict = built(thresholds={"human": 1.0}, similarity={"threshold": -1.0})
    assert all({"human", SIMILAR} <= set(v.reasons) for v in strict.judge(mixed))
    lax = built(thresholds=dict.fromkeys(QUESTIONS, 0.0), similarity={"threshold": 1.0})
    assert all(v.passed for v in lax.judge(mixed))


@pytest.mark.parametrize(
    "bad", [{"thresholds": {"pretty": 0.5}}, {"thresholds": {"chest": 2}}, {"size": 3}]
)
def test_wrong_options_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Inspector.Options(**bad)  # type: ignore[arg-type]


def test_inspect_takes_paths_and_arrays(tmp_path: Path, mixed: list[Image]) -> None:
    path = tmp_path / "film.png"
    Pillow.fromarray(mixed[0]).save(path)
    by_path, by_name, by_array = inspect([path, str(path), mixed[0]])
    assert by_path == by_name == by_array


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG not really")
    with pytest.raises(SyncxrError, match=r"broken\.png"):
        inspect([path])


@pytest.mark.parametrize(
    "image", [np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64)), np.zeros((4, 64), np.uint8)]
)
def test_what_is_no_grey_film_is_refused(image: Image) -> None:
    with pytest.raises(SyncxrError, match="greyscale uint8"):
        inspect([image])


def test_missing_weights_name_the_remedy(tmp_path: Path, mixed: list[Image]) -> None:
    with pytest.raises(SyncxrError, match="train_inspector"):
        Inspector(Inspector.Options(weights=tmp_path)).judge(mixed[:1])


def test_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) <= 5_000_000
