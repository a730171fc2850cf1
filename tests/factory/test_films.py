from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from syncxr.curation.judge import QUESTIONS, Verdict
from syncxr.dataset.reader import read
from syncxr.entities.extraction import extract
from syncxr.factory import films
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.registry import BackendSpec
from syncxr.sample import Image, Sample, derive_seed

TEXT = "There is a large left pleural effusion. No pneumothorax is seen."
SIMULATION = BackendSpec(name="simulation", size=96)  # type: ignore[call-arg]


def drafted(n: int) -> list[Sample]:
    entities = tuple(mention.entity for mention in extract(TEXT))
    return [Sample(f"0-{i}", entities, TEXT, "Large left pleural effusion.") for i in range(n)]


class Moody:
    """Refuses the first film it sees of each report, judging by how often it was asked."""

    name = "moody"

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        self.refusals -= 1
        reasons = ("quality",) if self.refusals >= 0 else ()
        return [Verdict(dict.fromkeys(QUESTIONS, 0.5), 0.1, reasons) for _ in images]


def stage(judge: Moody, monkeypatch: pytest.MonkeyPatch) -> FilmStage:
    real = films.build

    def build(kind: str, table: dict[str, str], spec: BackendSpec) -> object:
        return judge if kind == "judge" else real(kind, table, spec)

    monkeypatch.setattr(films, "build", build)
    return FilmStage(SIMULATION, BackendSpec(name="inspector"), 3, require_shown=True)


def test_one_report_becomes_one_row_with_its_mask(tmp_path: Path) -> None:
    unjudged = FilmStage(SIMULATION, None, 1, require_shown=True)
    run_stage(tmp_path, unjudged, cut(drafted(1), 1), LocalExecutor())
    (sample,) = read(tmp_path / "dataset")
    assert sample.image is not None and sample.image.shape == (96, 96)
    (mask,) = sample.masks.values()
    # The patient's left is on the right of the film.
    assert mask[:, 48:].sum() > 10 * mask[:, :48].sum() > -1
    assert mask.sum() > 200
    assert sample.provenance["film"]["attempts"][0]["seed"] == derive_seed("0-0", "film", 0)


def test_refused_films_are_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_stage(tmp_path, stage(Moody(2), monkeypatch), cut(drafted(2), 2), LocalExecutor())
    for sample in read(tmp_path / "dataset"):
        reasons = [made["reasons"] for made in sample.provenance["film"]["attempts"]]
        assert reasons == [["quality"], ["quality"], []]
        assert sample.quality["quality"] == 0.5


def test_what_never_passes_is_kept_apart_with_its_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = run_stage(
        tmp_path, stage(Moody(9), monkeypatch), cut(drafted(2), 2), LocalExecutor()
    )
    assert not (tmp_path / "dataset").exists()
    rejected = list(read(tmp_path / "rejected"))
    assert len(rejected) == 2
    assert all(sample.image is not None for sample in rejected)
    assert record.statistics["film: quality"] == 6


def test_films_do_not_depend_on_shard_or_worker(tmp_path: Path) -> None:
    unjudged = FilmStage(SIMULATION, None, 1, require_shown=True)
    for name, size, workers in (("a", 4, 1), ("b", 1, 2)):
        (tmp_path / name).mkdir()
        run_stage(
            tmp_path / name,
            unjudged,
            cut(drafted(4), size),
            LocalExecutor(ExecutionOptions(workers=workers)),
        )
    for a, b in zip(read(tmp_path / "a/dataset"), read(tmp_path / "b/dataset"), strict=True):
        assert a.id == b.id and a.provenance == b.provenance
        np.testing.assert_array_equal(a.image, b.image)
