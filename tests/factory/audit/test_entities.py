from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from syncxr.corpora.report import Report
from syncxr.corpora.study import Study
from syncxr.corpora.terms import Terms
from syncxr.dataset.shards import read_shard
from syncxr.entities.bank import Bank, surface
from syncxr.entities.extraction import Mention, default_extractor
from syncxr.errors import SyncxrError
from syncxr.factory.audit.entities import (
    EntityCount,
    EntitySummary,
    ReportShards,
    audit_reports,
    entity_table,
)


class Reports:
    """A corpus at hand."""

    name = "hand-written"
    terms = Terms(source="this test", licence="MIT")
    has_reports, has_films = True, False

    def __init__(self, *reports: Report) -> None:
        self.reports = reports

    def studies(self) -> Iterator[Study]:
        return (Study(report.id, report) for report in self.reports)

    def identity(self) -> dict[str, str]:
        return {"corpus": self.name}


REPORTS = Reports(
    Report("1", "Small left pleural effusion. No pneumothorax.", "Small left pleural effusion."),
    Report("2", "No pneumothorax. Heart size is normal."),
    Report("3", "Possible pneumonia in the left lower lobe."),
    Report("4", "The patient was seen today."),
    Report("5", ""),
)


def test_the_bank_counts_each_statement_once_a_report(tmp_path: Path) -> None:
    summary = audit_reports(REPORTS, tmp_path / "audit")
    counts = {surface(e.entity): e.count for e in Bank.read(Path(summary.bank))}
    assert counts == {
        "small pleural effusion": 1,
        "no pneumothorax": 2,
        "possible pneumonia": 1,
        "heart": 1,
        "left": 1,
        "left lower lobe": 1,
    }
    assert (summary.reports, summary.without_entity) == (4, 1)


def test_figures_agree_with_the_bank(tmp_path: Path) -> None:
    summary = audit_reports(REPORTS, tmp_path)
    total = summary.categories[-1]
    assert total.category == "all"
    parts = summary.categories[:-1]
    assert total.unique == sum(row.unique for row in parts) == 6
    assert total.mentions == sum(row.mentions for row in parts) == 7
    denied = next(row for row in parts if row.category == "NON-ABNORMALITY")
    assert (denied.unique, denied.mentions, denied.once, denied.entropy) == (1, 2, 0, 0.0)
    assert denied.top == (("no pneumothorax", 2),)


def test_the_picture_opens_and_the_summary_serialises(tmp_path: Path) -> None:
    summary = audit_reports(REPORTS, tmp_path)
    with Image.open(summary.figure) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    assert EntitySummary(**json.loads(summary.model_dump_json())) == summary
    assert entity_table(summary).row_count == len(summary.categories)


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (audit_reports(REPORTS, tmp_path / name) for name in ("a", "b"))
    assert Path(first.bank).read_bytes() == Path(second.bank).read_bytes()
    assert Path(first.figure).read_bytes() == Path(second.figure).read_bytes()


def test_faults_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="no entity found in 1 reports"):
        audit_reports(Reports(Report("1", "Bonjour.")), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SyncxrError, match="cannot be written"):
        audit_reports(REPORTS, tmp_path / "file")


class Counting:
    """The rules, and how many texts they were asked to read."""

    name, batch = "counting", 1

    def __init__(self) -> None:
        self.texts: list[str] = []

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        self.texts += texts
        return default_extractor().extract(texts)

    def provenance(self) -> dict[str, str]:
        return {}


def chunks(root: Path, reports: Sequence[Report], extractor: Counting) -> Bank:
    counting = EntityCount(Reports.terms)
    shards = ReportShards(root, extractor, 2, counting)
    for report in reports:
        shards.add(report)
    shards.flush()
    return Bank.read(Path(counting.write(root).bank))


def test_chunks_that_are_there_are_not_read_again(tmp_path: Path) -> None:
    reports = [report for report in REPORTS.reports if report.text]
    whole = Bank.read(Path(audit_reports(REPORTS, tmp_path / "whole").bank))
    first = Counting()
    chunks(tmp_path, reports[:3], first)
    assert len(first.texts) == 3
    again = Counting()
    assert chunks(tmp_path, reports, again) == whole
    assert again.texts == [reports[2].text, reports[3].text], "its chunk had grown"
    changed = [replace(reports[0], findings="Edema."), *reports[1:]]
    third = Counting()
    assert chunks(tmp_path, changed, third) != whole
    assert len(third.texts) == 2


def test_no_text_is_kept(tmp_path: Path) -> None:
    reports = [report for report in REPORTS.reports if report.text]
    chunks(tmp_path, reports, Counting())
    for path in (tmp_path / "entities").iterdir():
        for sample in read_shard(path):
            assert sample.entities is not None and not (sample.findings or sample.impression)
        assert b"seen today" not in path.read_bytes()


def test_the_bank_keeps_the_terms(tmp_path: Path) -> None:
    bank = Bank.read(Path(audit_reports(REPORTS, tmp_path).bank))
    assert bank.terms == Reports.terms
