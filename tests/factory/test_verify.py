from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.manifest import build_manifest, write_manifest
from syncxr.dataset.shards import commit_shard
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.plan import Plan, PlannedReport
from syncxr.factory.verify import verify
from syncxr.sample import Polarity, Sample

EFFUSION = load_lexicon().concepts["pleural effusion"].entity(Polarity.PRESENT, "left", "mild")
FILM = np.arange(64, dtype=np.uint8).reshape(8, 8)


def good() -> Sample:
    return Sample(
        "0-0",
        (EFFUSION,),
        "There is a small left pleural effusion.",
        "Small left pleural effusion.",
        FILM,
        {str(EFFUSION): FILM > 40},
        provenance={"draft": {}},
    )


def faults(root: Path, *samples: Sample) -> list[str]:
    record = commit_shard(root, "films", 0, {"dataset/data/train-0.parquet": samples}, {})
    write_manifest(build_manifest([record], "dataset", {}), root / "dataset")
    return [line for lines in verify(root).faults.values() for line in lines]


def test_a_good_run_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, good()) == []
    assert verify(tmp_path / "dataset").verified_texts == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": None}, "has no film"),
        ({"image": FILM * 0}, "single grey"),
        ({"findings": ""}, "has no FINDINGS"),
        ({"findings": "There is no pleural effusion."}, "FINDINGS: findings lacks"),
        ({"impression": "Right pneumothorax."}, "IMPRESSION: impression adds"),
        ({"masks": {str(EFFUSION): FILM > 200}}, "is empty"),
        ({"masks": {str(EFFUSION): FILM[:4] > 3}}, "is (4, 8), film is (8, 8)"),
        ({"masks": {"nodule": FILM > 40}}, "belongs to no positive finding"),
    ],
)
def test_every_kind_of_fault_is_found(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    found = faults(tmp_path, replace(good(), **change))
    assert any(words in line and line.startswith("0-0") for line in found), found


def test_a_doubled_sample_is_found(tmp_path: Path) -> None:
    assert faults(tmp_path, good(), good()) == ["0-0 occurs 2 times"]


def test_ones_own_report_may_say_what_it_likes(tmp_path: Path) -> None:
    own = replace(good(), findings="Unlike.", impression="", provenance={})
    assert faults(tmp_path, own) == []


def test_a_lost_sample_is_found(tmp_path: Path) -> None:
    Plan((PlannedReport("0-0", (EFFUSION,)), PlannedReport("0-1", (EFFUSION,)))).write(
        tmp_path / "plan.parquet"
    )
    assert faults(tmp_path, good()) == ["0-1 is planned but neither kept nor rejected"]


def test_an_unlisted_shard_is_found(tmp_path: Path) -> None:
    faults(tmp_path, good())
    source = tmp_path / "dataset/data/train-0.parquet"
    source.with_name("train-9.parquet").write_bytes(source.read_bytes())
    (line,) = verify(tmp_path).faults["files"]
    assert "train-9.parquet is not in the manifest" in line


def test_faults_of_a_damaged_run_come_by_kind(tmp_path: Path) -> None:
    """What is lost with a shard is told apart from the damage, also of what was rejected."""
    Plan((PlannedReport("0-0", (EFFUSION,)), PlannedReport("0-1", (EFFUSION,)))).write(
        tmp_path / "plan.parquet"
    )
    faults(tmp_path, good())
    shards = [tmp_path / "dataset/data/train-0.parquet", tmp_path / "rejected/films-0.parquet"]
    shards[1].parent.mkdir()
    for shard in shards:
        shard.write_bytes(b"PAR1 no more")
    found = verify(tmp_path).faults
    assert found["plan"] == [f"0-{i} is planned but neither kept nor rejected" for i in range(2)]
    for shard in shards:
        assert any(str(shard) in line for line in found["files"])
    assert set(found) == {"files", "plan"}
