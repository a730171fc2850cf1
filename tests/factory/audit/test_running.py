"""A corpus audited from end to end: whole, broken here and there, stopped and started again."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import tiny_mimic
from PIL import Image as Pillow
from pydantic import BaseModel

from syncxr.corpora.mimic import MimicCxr
from syncxr.corpora.opening import open_corpus
from syncxr.curation import JUDGES
from syncxr.curation.judge import QUESTIONS, Verdict
from syncxr.entities.bank import Bank
from syncxr.errors import SyncxrError
from syncxr.factory.audit.running import audit
from syncxr.factory.audit.summary import AuditSummary
from syncxr.factory.executors import LocalExecutor
from syncxr.registry import BackendSpec
from syncxr.sample import Image

RULES = BackendSpec(name="rules")
DARK = BackendSpec(name="dark")


class Dark:
    """Refuses films that are dark; knows nothing else."""

    class Options(BaseModel):
        """None."""

    name = "dark"
    seen: ClassVar[list[int]] = []

    def __init__(self, options: Options) -> None:
        self.options = options

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        self.seen.append(len(images))
        answers = [float(image.mean() / 255) for image in images]
        return [
            Verdict(dict.fromkeys(QUESTIONS, a), 0.0, () if a > 0.3 else ("quality",))
            for a in answers
        ]

    record: ClassVar[dict[str, str]] = {}


@pytest.fixture(autouse=True)
def _dark(monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{__name__}:Dark"
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setitem(JUDGES, "dark", here)
    Dark.seen.clear()


def film(study: int, number: int) -> Image:
    """Distinct smooth films; the lateral one is dark."""
    rng = np.random.default_rng([study, number])
    coarse = Pillow.fromarray(rng.integers(100, 256, (6, 5), np.uint8))
    pixels = np.asarray(coarse.resize((80, 96), Pillow.Resampling.BICUBIC))
    return (pixels // 4).astype(np.uint8) if number else pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_mimic.build(tmp_path / "mimic", film)


def run(folder: Path, out: Path, size: int = 3, judge: BackendSpec | None = DARK) -> AuditSummary:
    return audit(MimicCxr(folder), out, RULES, judge, LocalExecutor(), shard_size=size)


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_figure_of_a_small_mimic(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path / "out")
    pairing = summary.pairing
    assert (pairing.studies, pairing.reports, pairing.films) == (7, 5, 8)
    assert pairing.sections == {"findings": 3, "impression": 3, "last paragraph": 1}
    assert (pairing.without_findings, pairing.without_impression) == (2, 2)
    assert (pairing.without_section, pairing.empty_reports) == (1, 1)
    assert (pairing.reports_without_film, pairing.films_without_report) == (1, 1)
    assert (pairing.absent_films, pairing.unlisted_films) == (1, 1)
    assert sorted(row["what"] for row in rows(pairing.list)) == sorted(
        ["no findings"] * 2
        + ["no impression"] * 2
        + ["no section", "empty report", "report without film", "film without report"]
        + ["film absent", "film unlisted"]
    )
    assert summary.entities is not None and summary.entities.reports == 5
    assert summary.stays_home and "PhysioNet" in summary.licence
    assert AuditSummary(**json.loads(summary.model_dump_json())) == summary
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["pairing"]["films"] == 8


def test_every_refused_film_is_listed_with_its_reason(folder: Path, tmp_path: Path) -> None:
    films = run(folder, tmp_path / "out").films
    assert films is not None
    assert (films.judge, films.films, films.passed) == ("dark", 8, 6)
    assert films.reasons == {"quality": 2}
    assert films.views == {"": (2, 1), "AP": (3, 0), "LATERAL": (1, 1), "PA": (2, 0)}
    refused = rows(films.rejected)
    assert [(row["study"], row["view"], row["reasons"]) for row in refused] == [
        ("s50414267", "LATERAL", "quality"),
        ("s50578979", "", "quality"),
    ]
    assert all(float(row["quality"]) < 0.3 and row["height"] == "96" for row in refused)
    every = rows(films.verdicts)
    assert [row["id"] for row in every] == sorted(row["id"] for row in every)
    assert len(every) == 8 and sum(row["passed"] == "True" for row in every) == 6
    page = Path(films.gallery).read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert all(row["id"] in page for row in refused)
    assert "must stay home" in page and "http" not in page.replace("https://doi", "")


def test_no_pixels_and_no_texts_are_kept_elsewhere(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    for path in out.rglob("*"):
        if path.is_file() and path.name not in ("rejected.html", "long_tail.png"):
            data = path.read_bytes()
            assert b"\x89PNG" not in data and b"\xff\xd8\xff" not in data
            assert b"pleural effusion.  No" not in data and b"new onset" not in data


def test_a_film_that_does_not_open_is_refused_and_told(folder: Path, tmp_path: Path) -> None:
    broken = next(path for path in sorted(folder.rglob("*.jpg")))
    broken.write_bytes(broken.read_bytes()[:40])
    films = run(folder, tmp_path / "out").films
    assert films is not None and films.reasons == {"quality": 2, "unreadable": 1}
    (row,) = [row for row in rows(films.rejected) if row["reasons"] == "unreadable"]
    assert row["id"] == broken.relative_to(folder).as_posix() and row["quality"] == ""
    assert "does not open" in Path(films.gallery).read_text()


def test_near_duplicates_are_grouped_and_told_across_patients(folder: Path, tmp_path: Path) -> None:
    paths = {path.parent.name: path for path in folder.rglob("*.jpg")}
    original = Pillow.open(paths["s53189527"])
    original.resize((160, 192)).save(paths["s57375967"], quality=60)
    films = run(folder, tmp_path / "out").films
    assert films is not None
    assert (films.duplicate_groups, films.duplicate_films, films.across_patients) == (1, 2, 1)
    found = rows(films.duplicates)
    assert [row["patient"] for row in found] == ["p10000032", "p10000764"]
    assert found[0]["different_bits"] == "0" and 0 <= int(found[1]["different_bits"]) <= 96


def test_a_second_run_does_only_what_is_new(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(folder, out)
    before = {path: path.read_bytes() for path in out.rglob("*.parquet")}
    Dark.seen.clear()
    assert run(folder, out) == first
    assert Dark.seen == []
    assert {path: path.read_bytes() for path in out.rglob("*.parquet")} == before
    changed = sorted(folder.rglob("*.jpg"))[-1]
    Pillow.fromarray(film(1, 0)).save(changed)
    run(folder, out)
    assert sum(Dark.seen) == 2, "the last shard alone"


def test_shards_and_workers_change_no_figure(folder: Path, tmp_path: Path) -> None:
    one, other = run(folder, tmp_path / "a", 1), run(folder, tmp_path / "b", 100)
    figures = [
        json.dumps(s.model_dump(), sort_keys=True).replace(str(tmp_path / name), "")
        for s, name in ((one, "a"), (other, "b"))
    ]
    assert figures[0] == figures[1]
    for name in ("verdicts.csv", "rejected.html", "bank.parquet", "unpaired.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_judge_is_another_audit(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    with pytest.raises(SyncxrError, match="holds a run with another configuration"):
        run(folder, tmp_path / "out", judge=BackendSpec(name="inspector"))


def test_reports_alone_and_films_alone(folder: Path, tmp_path: Path) -> None:
    assert run(folder, tmp_path / "reports", judge=None).films is None
    films = tmp_path / "films"
    films.mkdir()
    Pillow.fromarray(film(1, 0)).save(films / "a.png")
    summary = audit(
        open_corpus(str(films)), tmp_path / "out", RULES, DARK, LocalExecutor(), shard_size=5
    )
    assert summary.entities is None and summary.films is not None
    assert summary.pairing.films_without_report == 0, "a folder of films lacks no reports"


def test_the_bank_carries_the_agreement(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path / "out", judge=None)
    assert summary.entities is not None
    terms = Bank.read(Path(summary.entities.bank)).terms
    assert terms is not None and terms.stays_home and "PhysioNet" in terms.licence


@pytest.mark.slow
def test_killed_and_started_again_it_ends_the_same(tmp_path: Path) -> None:
    """A kill -9 in the middle of the films, with the embedded judge, as a user would run it."""
    corpus = tmp_path / "films"
    corpus.mkdir()
    for number in range(20):
        Pillow.fromarray(film(number, 0)).resize((300, 350)).save(corpus / f"{number:02}.png")
    script = (
        "import sys; from pathlib import Path\n"
        "from syncxr.corpora.opening import open_corpus\n"
        "from syncxr.factory.audit.running import audit\n"
        "from syncxr.factory.executors import LocalExecutor\n"
        "from syncxr.registry import BackendSpec\n"
        "audit(open_corpus(sys.argv[1]), Path(sys.argv[2]), BackendSpec(name='rules'),\n"
        "      BackendSpec(name='inspector'), LocalExecutor(), shard_size=4)\n"
    )

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", script, str(corpus), str(out)]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    out, whole = tmp_path / "out", tmp_path / "whole"
    process = start(out)
    while process.poll() is None and len(list(out.glob("records/inspected-*.json"))) < 2:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = len(list(out.glob("records/inspected-*.json")))
    assert 2 <= done < 5 and not (out / "summary.json").exists()
    assert start(out).wait() == 0 and start(whole).wait() == 0
    for name in ("verdicts.csv", "rejected.csv", "rejected.html", "duplicates.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
