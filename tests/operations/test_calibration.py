import math
from pathlib import Path

import pytest
import stages

from syncxr.factory.executors import Spread
from syncxr.factory.sources import cut
from syncxr.operations import calibration
from syncxr.operations.calibration import Batch, Calibration, calibrate


def batch(start: float, end: float, cpu: float, *, cold: bool = False, size: int = 4) -> Batch:
    return Batch(size, None, worker=1, cold=cold, start=start, end=end, cpu=cpu)


def test_one_worker_cold_then_warm() -> None:
    """10 s for the first four samples, then 2 s for each four."""
    worker = calibration._worker(
        [batch(0, 10, 8, cold=True), batch(10, 12, 9.5), batch(12, 14, 11)]
    )
    assert (worker.seconds, worker.samples, worker.cpu) == (4, 8, 3)
    assert worker.cold(rate=0.5) == 8
    assert worker.cold_cpu == 8


def test_several_batches_at_a_time_count_by_the_time_they_took_together() -> None:
    """Two in hand: 4 + 4 cold until 6, 4 + 4 warm until 8, so a sample each quarter second."""
    worker = calibration._worker(
        [
            batch(0, 6, 1, cold=True),
            batch(0, 6, 1, cold=True),
            batch(6, 8, 2),
            batch(6, 8, 2),
        ]
    )
    assert worker.seconds / worker.samples == 0.25
    assert worker.cold(0.25) == 4


def test_what_was_only_cold_is_all_there_is() -> None:
    worker = calibration._worker([batch(0, 6, 3, cold=True)], cpu_before=1)
    assert (worker.seconds, worker.samples, worker.cpu) == (6, 4, 2) and worker.cold(1.5) == 0


def test_what_the_process_did_before_is_left_out() -> None:
    worker = calibration._worker([batch(0, 6, 5, cold=True), batch(6, 8, 6)], cpu_before=4)
    assert (worker.cold_cpu, worker.cpu) == (1, 1)


def made(rate: float) -> Calibration:
    return Calibration(
        start_up=3,
        warm_up=2,
        seconds_per_sample=rate,
        margin=None,
        cpu_per_sample=rate,
        cpu_start_up=0,
        gpu="",
        gpu_bytes=0,
        measured=8,
        records=(),
    )


@pytest.mark.parametrize(
    ("sizes", "workers", "seconds"),
    [
        ([50], 1, 55),
        ([50], 8, 55),
        ([50, 50, 50, 50], 2, 105),
        ([50, 50, 50], 2, 105),
        ([50, 50, 50, 10], 2, 105),
        ([50, 50, 10, 10], 2, 65),
    ],
)
def test_workers_take_the_next_shard_when_they_are_free(
    sizes: list[float], workers: int, seconds: float
) -> None:
    assert made(1.0).total(sizes, workers) == seconds


def test_margin_is_students() -> None:
    assert calibration._margin([1.0, 2.0]) is None
    assert calibration._margin([1.0, 1.0, 1.0]) == 0
    # t(.975, 2 degrees) = 4.303; deviation 0.1; √3.
    margin = calibration._margin([0.9, 1.0, 1.1])
    assert margin is not None and math.isclose(margin, 4.303 * 0.1 / 3**0.5, rel_tol=1e-3)
    assert calibration._margin([0.1, 1.0, 9.0]) is None, "too wide to say"


@pytest.mark.parametrize(("stage", "shards"), [(stages.Echo(), 1), (stages.Waits(), 2)])
def test_every_batch_is_counted_once(stage: stages.Echo, shards: int, tmp_path: Path) -> None:
    sources = cut(stages.numbered(24), 4)
    found = calibrate(tmp_path, stage, sources, Spread(1, shards, 1.0, 0.0))
    assert sum(record.size for record in found.records) == 24
    assert 0 < found.measured < 24, "cold batches are not measured"
    assert found.gpu == "" and found.seconds_per_sample > 0


def test_processes_measure_for_themselves(tmp_path: Path) -> None:
    sources = cut(stages.numbered(24), 4)
    found = calibrate(tmp_path, stages.Echo(0.05), sources, Spread(2, 1, 1.0, 0.0))
    assert sum(record.size for record in found.records) == 24
    assert found.start_up > 0


def test_when_the_time_is_up_no_batch_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_BUDGET", 0.0)
    found = calibrate(tmp_path, stages.Echo(), cut(stages.numbered(24), 4), Spread(1, 1, 1.0, 0.0))
    assert len(found.records) == 2, "one cold, one measured"
    assert found.measured == 4
