from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from syncxr.corpora.report import Report
from syncxr.entities.bank import Bank, surface
from syncxr.errors import SyncxrError
from syncxr.factory.audit import AuditSummary, audit, audit_table

REPORTS = [
    Report("1", "Small left pleural effusion. No pneumothorax.", "Small left pleural effusion."),
    Report("2", "No pneumothorax. Heart size is normal."),
    Report("3", "Possible pneumonia in the left lower lobe."),
    Report("4", "The patient was seen today."),
    Report("5", ""),
]


def test_the_bank_counts_each_statement_once_a_report(tmp_path: Path) -> None:
    summary = audit(REPORTS, tmp_path / "audit")
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
    summary = audit(REPORTS, tmp_path)
    total = summary.categories[-1]
    assert total.category == "all"
    parts = summary.categories[:-1]
    assert total.unique == sum(row.unique for row in parts) == 6
    assert total.mentions == sum(row.mentions for row in parts) == 7
    denied = next(row for row in parts if row.category == "NON-ABNORMALITY")
    assert (denied.unique, denied.mentions, denied.once, denied.entropy) == (1, 2, 0, 0.0)
    assert denied.top == (("no pneumothorax", 2),)


def test_the_picture_opens_and_the_summary_serialises(tmp_path: Path) -> None:
    summary = audit(REPORTS, tmp_path)
    with Image.open(summary.figure) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    assert AuditSummary(**json.loads(summary.model_dump_json())) == summary
    assert audit_table(summary).row_count == len(summary.categories)


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (audit(REPORTS, tmp_path / name) for name in ("a", "b"))
    assert Path(first.bank).read_bytes() == Path(second.bank).read_bytes()
    assert Path(first.figure).read_bytes() == Path(second.figure).read_bytes()


def test_faults_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="no entity found in 1 reports"):
        audit([Report("1", "Bonjour.")], tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SyncxrError, match="cannot be written"):
        audit(REPORTS, tmp_path / "file")
