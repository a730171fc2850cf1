"""Pairs again with one finding changed: what differs, what does not; a kill costs nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stages import KilledAtCounterfactuals, committed_files

from syncxr.dataset.files import write_text
from syncxr.dataset.reader import read
from syncxr.entities.extraction import entities_of, extract
from syncxr.errors import SyncxrError
from syncxr.factory.counterfactuals.stage import CounterfactualStage
from syncxr.factory.counterfactuals.tasks import REGRADED, TASK, WITHOUT, cut_tasks
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.runner import outputs, run_stage
from syncxr.factory.sources import ShardFileSource, cut
from syncxr.factory.standalone import change_findings
from syncxr.factory.verify import verify
from syncxr.registry import BackendSpec
from syncxr.sample import Sample

SIMULATION = BackendSpec(name="simulation", size=64, resolution_mm=4.0)  # type: ignore[call-arg]
FILMS = FilmStage(SIMULATION, None, 1, require_shown=False)
REPORTS = {
    "a": ("Large left pleural effusion. No pneumothorax.", "Large left pleural effusion."),
    "b": ("The lungs are clear. Heart size is normal.", "No acute disease."),
    "c": ("Moderate cardiomegaly. The lungs are clear.", "Moderate cardiomegaly."),
    "d": ("A pacemaker is present. No pleural effusion.", "Pacemaker."),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four drafted reports in two shards."""
    root = tmp_path_factory.mktemp("originals")
    drafted = [
        Sample(id, tuple(entities_of(extract(text))), text, summary, provenance={"draft": {}})
        for id, (text, summary) in REPORTS.items()
    ]
    run_stage(root, FILMS, cut(drafted, 2), LocalExecutor())
    return root


@pytest.fixture(scope="module")
def shards(originals: Path) -> list[ShardFileSource]:
    return outputs(originals, FILMS)


@pytest.fixture(scope="module")
def changed(shards: list[ShardFileSource], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both ways of changing them, in one process."""
    root = tmp_path_factory.mktemp("changed")
    stage = CounterfactualStage(SIMULATION, "hash")
    run_stage(root, stage, cut_tasks(shards, (WITHOUT, REGRADED)), LocalExecutor())
    return root


def samples(root: Path) -> Mapping[str, Sample]:
    return {sample.id: sample for sample in read(root / "dataset")}


def told(sample: Sample) -> dict[str, Any]:
    kept: dict[str, Any] = sample.provenance[TASK]
    return kept


def test_every_pair_that_shows_a_finding_is_there_without_it(
    originals: Path, changed: Path
) -> None:
    before, after = samples(originals), samples(changed)
    assert set(after) == {"a-without", "a-regraded", "c-without", "c-regraded", "d-without"}
    assert told(after["a-without"]) == {
        "original": "a",
        "way": "without",
        "dataset": "hash",
        "finding": "severe left pleural effusion",
        "gone": ["severe left pleural effusion"],
        "come": [],
        "reason": "",
    }
    mask = before["a"].masks["severe left pleural effusion"]
    one, other = before["a"].image, after["a-without"].image
    assert one is not None and other is not None
    difference = np.abs(one.astype(int) - other)
    assert difference[mask].mean() > 10 * difference[:, :20].mean()
    assert after["a-without"].masks == {}
    scene = ("pose", "exposure", "markers", "borders")
    films = [sample.provenance["film"] for sample in (before["a"], after["a-without"])]
    assert all(films[0]["parameters"][key] == films[1]["parameters"][key] for key in scene)


def test_the_text_says_what_the_film_shows(changed: Path) -> None:
    after = samples(changed)
    for sample in after.values():
        stated = {str(e) for e in entities_of(extract(f"{sample.findings} {sample.impression}"))}
        assert stated >= set(told(sample)["come"])
        assert not stated & set(told(sample)["gone"])
        assert {str(e) for e in sample.entities} >= set(sample.masks)
    assert "mild cardiomegaly" not in after["c-regraded"].masks
    assert told(after["c-regraded"])["come"] == ["severe cardiomegaly"]
    assert set(after["a-regraded"].masks) == {"mild left pleural effusion"}


def test_killed_and_started_again_in_two_workers_it_leaves_the_same_bytes(
    changed: Path, shards: list[ShardFileSource], tmp_path: Path
) -> None:
    tasks = cut_tasks(shards, (WITHOUT, REGRADED))
    workers = LocalExecutor(ExecutionOptions(workers=2))
    with pytest.raises(SyncxrError, match="killed"):
        run_stage(tmp_path, KilledAtCounterfactuals(SIMULATION, "hash"), tasks, workers)
    assert committed_files(tmp_path) != committed_files(changed)
    run_stage(tmp_path, CounterfactualStage(SIMULATION, "hash"), tasks, workers)
    assert committed_files(tmp_path) == committed_files(changed)


def test_a_film_that_comes_out_otherwise_is_refused(
    shards: list[ShardFileSource], tmp_path: Path
) -> None:
    other = BackendSpec(name="simulation", size=64, resolution_mm=4.0, inverted=1.0)  # type: ignore[call-arg]
    [_, source] = cut_tasks(shards, (WITHOUT,))
    run_stage(tmp_path, CounterfactualStage(other, "hash"), [source], LocalExecutor())
    refused = list(read(tmp_path / "rejected"))
    assert [told(sample)["reason"] for sample in refused] == [
        "the film could not be taken again"
    ] * 2
    assert all(sample.image is None and not sample.masks for sample in refused)
    dataset = shards[0].path.parent
    with pytest.raises(SyncxrError, match="none of its films comes out as it is stored; give the"):
        change_findings(dataset, tmp_path / "all", other, (WITHOUT,), 1, LocalExecutor())


def test_a_finding_whose_sentence_cannot_be_changed_is_refused(
    originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object) -> None:
        raise SyncxrError("no")

    monkeypatch.setattr("syncxr.reports.editing.remove", cannot)
    stage = CounterfactualStage(SIMULATION, "hash")
    stage.setup()
    pair = samples(originals)["d"]
    task = replace(pair, provenance=pair.provenance | {TASK: {"original": pair.id, "way": WITHOUT}})
    result = stage.process([task], lambda n: None)
    assert not result.accepted
    assert result.statistics == {"counterfactual: no finding can be changed in the text alone": 1}


def test_a_run_is_read_with_its_own_renderer_and_verified(
    originals: Path, changed: Path, tmp_path: Path
) -> None:
    write_text(originals / "config.yaml", f"renderer: {SIMULATION.model_dump()}\n")
    laptop = BackendSpec(name="simulation")
    summary = change_findings(originals, tmp_path, laptop, (WITHOUT,), 2, LocalExecutor())
    assert (summary.samples, summary.accepted) == (2, 2)
    assert set(samples(tmp_path)) == {"a-without", "c-without"}
    found = verify(tmp_path)
    assert not found.faults and found.verified_texts == found.pairs == 2
    one, other = (samples(root)["a-without"].image for root in (tmp_path, changed))
    np.testing.assert_array_equal(one, other)


def test_counterfactuals_and_what_is_beyond_the_first_pairs_are_passed_over(
    changed: Path, shards: list[ShardFileSource]
) -> None:
    stage = CounterfactualStage(SIMULATION, "hash")
    assert cut_tasks(outputs(changed, stage), (WITHOUT,)) == []
    [only] = cut_tasks(shards, (WITHOUT,), 1)
    assert only.picks == (("a", WITHOUT),)


def test_what_cannot_be_done_is_told_before_any_work(originals: Path, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="'diffusion' cannot take a film again"):
        CounterfactualStage(BackendSpec(name="diffusion", model="x"), "hash").check()  # type: ignore[call-arg]
    with pytest.raises(SyncxrError, match="absent is not a folder; give a run folder"):
        absent = tmp_path / "absent"
        change_findings(absent, tmp_path / "out", SIMULATION, (WITHOUT,), None, LocalExecutor())
    assert not (tmp_path / "out").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(SyncxrError, match="no pair whose film shows a finding"):
        change_findings(
            tmp_path / "empty", tmp_path / "out", SIMULATION, (WITHOUT,), None, LocalExecutor()
        )
