from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from syncxr.dataset.reader import read
from syncxr.dataset.shards import committed
from syncxr.entities.plan import Plan, PlanFile, PlannedReport
from syncxr.errors import SyncxrError
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.generate import cut_plan, summarise
from syncxr.factory.runner import outputs, run_stage
from syncxr.factory.sources import cut
from syncxr.factory.stage import ShardResult
from syncxr.resources import Resources
from syncxr.sample import Category, Entity, Polarity, Sample

HEART = Entity("heart", Category.ANATOMY, Polarity.ABSENT)


class Fake:
    """Lets through what ``passes`` says."""

    resources = Resources(whole_machine=True)

    def __init__(self, name: str, output: str, passes: Callable[[str], bool]) -> None:
        self.name, self.output, self._passes = name, output, passes

    def describe(self) -> dict[str, str]:
        return {}

    def setup(self) -> None:
        pass

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        good = [sample for sample in samples if self._passes(sample.id)]
        bad = [sample for sample in samples if not self._passes(sample.id)]
        kind = self.name.removesuffix("s")
        statistics = {
            f"{kind} attempts": len(samples) + len(bad),
            "first drafts accepted": len(good),
            f"{kind}: dull": 2 * len(bad),
        }
        return ShardResult(good, bad, statistics)


DRAFTS = Fake("drafts", "drafts", lambda id: id != "3")
FILMS = Fake("films", "dataset/data", lambda id: id != "5")


def plan(root: Path, ids: Sequence[object]) -> PlanFile:
    Plan(tuple(PlannedReport(str(id), (HEART,)) for id in ids)).write(root / "plan.parquet")
    return PlanFile(root / "plan.parquet")


def run(root: Path, n: int, size: int) -> object:
    sources = cut_plan(plan(root, range(n)), size, committed(root, "drafts"))
    drafts = run_stage(root, DRAFTS, sources, LocalExecutor())
    films = run_stage(root, FILMS, outputs(root, DRAFTS), LocalExecutor())
    return summarise(n, drafts, films)


def test_funnel_adds_up(tmp_path: Path) -> None:
    summary = run(tmp_path, 10, 4)
    assert summary.planned == 10 and summary.verified == 9 and summary.accepted == 8
    assert summary.rejected == {"drafts": 1, "films": 1}
    assert summary.drafted == 11 and summary.rendered == 10
    assert summary.first_round_acceptance == 0.9
    assert summary.draft_reasons == {"dull": 2} == summary.film_reasons


def test_extension_keeps_what_is_committed(tmp_path: Path) -> None:
    """10 samples in shards of 4 leave a short last shard; 5 more come behind it."""
    run(tmp_path, 10, 4)
    before = {p.name: p.read_bytes() for p in (tmp_path / "dataset/data").iterdir()}
    summary = run(tmp_path, 15, 4)
    after = {p.name: p.read_bytes() for p in (tmp_path / "dataset/data").iterdir()}
    assert summary.planned == 15 and summary.accepted == 13
    assert before.items() <= after.items() and len(after) == 5
    assert sorted(int(s.id) for s in read(tmp_path / "dataset")) == [
        i for i in range(15) if i not in (3, 5)
    ]


def test_a_shard_can_be_made_again_in_the_middle_of_an_extended_run(tmp_path: Path) -> None:
    """Shards of 4, 4, 2 | 4, 1; the record of the short one is deleted, as a message advises."""
    run(tmp_path, 10, 4)
    run(tmp_path, 15, 4)
    before = {p.name: p.read_bytes() for p in (tmp_path / "dataset/data").iterdir()}
    (tmp_path / "records" / "drafts-00002.json").unlink()
    run(tmp_path, 15, 4)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "dataset/data").iterdir()}


def test_another_plan_is_refused_or_redone_but_never_mixed(tmp_path: Path) -> None:
    run(tmp_path, 10, 4)
    other = plan(tmp_path, [f"x{index}" for index in range(10)])
    with pytest.raises(SyncxrError, match="not the one that was drafted"):
        cut_plan(other, 4, committed(tmp_path, "drafts"))


def test_new_words_make_new_films(tmp_path: Path) -> None:
    """A draft shard that was written again invalidates the films made from it."""
    first = [Sample("a", findings="Clear."), Sample("b")]
    second = [Sample("a", findings="Nodule."), Sample("b")]
    for samples_given in (first, second):
        run_stage(tmp_path, FILMS, cut(samples_given, 2), LocalExecutor())
    assert [s.findings for s in read(tmp_path / "dataset")] == ["Nodule.", ""]


def test_what_passes_at_the_second_try_is_no_longer_rejected(tmp_path: Path) -> None:
    run_stage(tmp_path, FILMS, cut([Sample("5")], 1), LocalExecutor())
    assert [s.id for s in read(tmp_path / "rejected")] == ["5"]
    run_stage(tmp_path, FILMS, cut([Sample("6")], 1), LocalExecutor())
    assert not list((tmp_path / "rejected").glob("*.parquet"))


def test_a_shorter_plan_is_refused(tmp_path: Path) -> None:
    run(tmp_path, 10, 4)
    with pytest.raises(SyncxrError, match="not the one that was drafted"):
        run(tmp_path, 4, 4)
